import { ProblemId } from "../../shared/ids.ts";
import type { ManifestValidator, ProblemManifest } from "../../shared/judging.ts";
import type { LanguageId, Resource } from "../../shared/language.ts";
import type { Limits } from "../../shared/limits.ts";
import { parseValidatorFlags } from "../../shared/validatorflags.ts";
import { withConstants } from "./constants.ts";
import type { Findings } from "./finding.ts";
import { findIncludes } from "./includes.ts";
import { findOutputValidator, type ValidatorProgram } from "./outputvalidator.ts";
import { POLYGON_FILE, readPolygon } from "./polygon.ts";
import { type PackageSettings, readSettings } from "./settings.ts";
import { readName } from "./statement.ts";
import { asSourceFile, type FoundTest, findTests, manifestTest } from "./tests.ts";
import { readTimeLimit } from "./timelimit.ts";
import { findTimedPrograms, type Timing } from "./timing.ts";
import { findPackage, namesIn, type PackageTree } from "./tree.ts";
import type { UnpackedFile } from "./unpack.ts";

/** A package that can be stored: its manifest and the files that the manifest names. */
export interface ReadPackage {
  readonly manifest: ProblemManifest;
  /** How its time limit is to be found; undefined where it is given. */
  readonly timing: Timing | undefined;
  /** Submissions may be in these; undefined: in all. */
  readonly languages: readonly LanguageId[] | undefined;
  readonly resource?: Resource | undefined;
  readonly blobs: readonly UnpackedFile[];
}

/** Explicit id, else the package's directory, else the archive's name. */
function problemIdOf(
  tree: PackageTree,
  input: { problemId?: string | undefined; archiveName?: string | undefined },
  findings: Findings,
): ProblemId | undefined {
  const archive = input.archiveName?.replace(/^.*\//, "").replace(/\.(zip|kpp|tar\.gz|tgz)$/i, "");
  const name = input.problemId ?? tree.directory ?? archive;
  if (name === undefined) {
    findings.error("", "nothing names the problem", {
      expected: "a directory in the archive, an archive name or a problem id",
    });
    return undefined;
  }
  const parsed = ProblemId.safeParse(name.toLowerCase());
  if (parsed.success) return parsed.data;
  findings.error("", `the name ${JSON.stringify(name)} makes no problem id`, {
    expected: "a-z, 0-9, '_', '-', '.', starting with a letter or digit",
  });
  return undefined;
}

/** Folders that ask for something which judging would have to do and cannot yet. */
function refuseUnsupported(tree: PackageTree, findings: Findings): void {
  const refuse = (folder: string, what: string): void => {
    if ([...tree.files.keys()].some((path) => path.startsWith(`${folder}/`))) {
      findings.error(folder, `${what} not supported yet`);
    }
  };
  refuse("static_validator", "static validators are");
  refuse("graders", "custom graders are");
}

/** What the format demands of a whole package but judging can do without. */
function warnIncomplete(tree: PackageTree, findings: Findings): void {
  const validators = ["input_validators", "input_format_validators"];
  if (!validators.some((folder) => [...tree.files.keys()].some((path) => path.startsWith(`${folder}/`)))) {
    findings.warn("input_validators", "there is no input validator");
  }
  const { files, folders } = namesIn(tree, "submissions/accepted");
  if (files.length + folders.length === 0) {
    findings.warn("submissions/accepted", "there is no accepted submission");
  }
}

/** The default validator's arguments are checked now, so that no submission meets them unchecked. */
function checkDefaultFlags(settings: PackageSettings, tests: readonly FoundTest[], findings: Findings): void {
  const problem = parseValidatorFlags(settings.validatorFlags);
  if (!problem.ok) {
    findings.error("problem.yaml", `validator_flags: ${problem.message}`, {
      line: settings.yaml.lineOf("validator_flags"),
    });
    return;
  }
  const seen = new Set<string>();
  for (const { config } of tests) {
    const { source } = config;
    if (source === undefined || seen.has(source.file)) continue;
    seen.add(source.file);
    const parsed = parseValidatorFlags([...settings.validatorFlags, ...config.validatorArgs]);
    if (!parsed.ok) findings.error(source.file, parsed.message, { line: source.line });
  }
}

function manifestValidator(
  program: ValidatorProgram | undefined,
  args: readonly string[],
): ManifestValidator {
  if (program === undefined) return { type: "default", args: [...args] };
  return {
    type: "custom",
    args: [...args],
    // Any will do for a script.
    language: program.language === "script" ? "bash" : program.language,
    files: program.files.map(asSourceFile),
    ...(program.language === "script" ? { script: true } : {}),
    ...(program.entryPoint === undefined ? {} : { entryPoint: program.entryPoint }),
  };
}

/** Reads everything that judging needs. Mistakes become findings; the result counts only without errors among them. */
export async function readPackage(
  deps: { limits: Pick<Limits, "problemTests">; findings: Findings },
  input: {
    unpacked: ReadonlyMap<string, UnpackedFile>;
    problemId?: string | undefined;
    archiveName?: string | undefined;
  },
): Promise<ReadPackage | undefined> {
  const { findings, limits } = deps;
  const unpacked = findPackage(input.unpacked, findings);
  if (unpacked === undefined) return undefined;
  const problem = problemIdOf(unpacked, input, findings);
  if (unpacked.files.has(POLYGON_FILE) && !unpacked.files.has("problem.yaml")) {
    const polygon = await readPolygon({ tree: unpacked, findings, limits });
    if (polygon === undefined || problem === undefined) return undefined;
    const { manifest, blobs } = polygon;
    return { manifest: { ...manifest, problem }, blobs, timing: undefined, languages: undefined };
  }
  const settings = await readSettings(unpacked, findings);
  const tree = await withConstants(unpacked, settings.constants);
  refuseUnsupported(tree, findings);
  const scoring = settings.types.has("scoring");
  const { tests, groups } = await findTests({ tree, findings, limits, layout: settings.layout, scoring });
  const program = findOutputValidator(tree, settings, findings);
  const includes = findIncludes(tree, findings);
  for (const type of ["interactive", "multi-pass"] as const) {
    if (settings.types.has(type) && program === undefined) {
      findings.error("problem.yaml", `a problem of type ${type} needs an output validator`, {
        line: settings.yaml.lineOf("type"),
        expected: "a program in output_validator/",
      });
    }
  }
  const customWanted = settings.validation === "custom" || program !== undefined;
  if (!customWanted) checkDefaultFlags(settings, tests, findings);
  const name = await readName({ tree, findings, settings }, problem ?? "problem");
  const timed = settings.types.has("submit-answer") ? [] : findTimedPrograms(unpacked);
  const { ms: timeMs, given } = await readTimeLimit(tree, settings, timed.length, findings);
  const measured = given ? [] : timed;
  warnIncomplete(tree, findings);
  if (problem === undefined) return undefined;
  return {
    timing:
      measured.length === 0
        ? undefined
        : {
            programs: measured.map(({ path, language, files }) => ({
              path,
              language,
              files: files.map(asSourceFile),
            })),
            factor: settings.acToTimeLimit,
            stepMs: settings.timeResolutionMs,
          },
    languages: settings.types.has("submit-answer") ? ["text"] : settings.languages,
    resource: settings.resource,
    manifest: {
      v: 1,
      problem,
      name,
      limits: { timeMs, ...settings.limits },
      runAllTests: false,
      ...(groups === undefined ? {} : { groups }),
      ...(includes.size === 0
        ? {}
        : { include: Object.fromEntries([...includes].map(([of, files]) => [of, files.map(asSourceFile)])) }),
      ...(settings.writesFiles ? { writesFiles: true } : {}),
      ...(settings.types.has("submit-answer") ? { submitAnswer: true } : {}),
      ...(settings.types.has("interactive") ? { interactive: true } : {}),
      ...(settings.types.has("multi-pass") ? { passes: settings.passes } : {}),
      ...(scoring ? { scoring } : {}),
      ...(settings.validatorScores ? { validatorScores: true } : {}),
      tests: tests.map((test) => manifestTest(test, settings.validatorFlags, groups)),
      validator: manifestValidator(program, settings.validatorFlags),
    },
    blobs: [
      ...tests.flatMap((test) => [test.input, test.answer, ...test.files.map(({ file }) => file)]),
      ...(program?.files.map(({ file }) => file) ?? []),
      ...measured.flatMap(({ files }) => files.map(({ file }) => file)),
      ...[...includes.values()].flatMap((files) => files.map(({ file }) => file)),
    ],
  };
}
