import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { type Constants, readConstants, replaceConstants } from "../shared/constants.ts";
import { type LanguageId, languageNamed, languageOfFile } from "../shared/language.ts";
import { type Expectation, expectationOf, type Judgement, readAnnotation, type Rule } from "./expectation.ts";
import { globMatches } from "./glob.ts";
import { type ProgramFile, readSource } from "./submit.ts";
import { CliTrouble } from "./trouble.ts";

/** One submission of a package: a file or a directory. */
export interface Program {
  /** Below submissions/. */
  readonly path: string;
  readonly files: readonly ProgramFile[];
  readonly expectation: Expectation;
  readonly entryPoint: string | undefined;
  /** Undefined: it cannot be judged here, and `reason` says why. */
  readonly language: LanguageId | undefined;
  readonly reason: string;
}

const JUDGEMENTS: readonly string[] = ["AC", "WA", "TLE", "RTE"] satisfies Judgement[];
const HEADER = /\.(h|hh|hpp|hxx)$/;

interface Metadata {
  readonly language?: string;
  readonly entryPoint?: string;
  readonly rules: readonly (Rule & { readonly replaces?: boolean })[];
}

type Mapping = Readonly<Record<string, unknown>>;

const isMapping = (value: unknown): value is Mapping =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function judgements(value: unknown): readonly Judgement[] | undefined {
  if (!Array.isArray(value)) return undefined;
  return value.filter((one): one is Judgement => typeof one === "string" && JUDGEMENTS.includes(one));
}

/** A number or a range of two. */
function scoreOf(value: unknown): Rule["score"] {
  const [least, most = least]: readonly unknown[] = Array.isArray(value) ? value : [value];
  return typeof least === "number" && typeof most === "number" ? { least, most } : undefined;
}

const ruleOf = (entry: Mapping): Rule => ({
  permitted: judgements(entry["permitted"]),
  score: scoreOf(entry["score"]),
  required: judgements(entry["required"]),
  message: typeof entry["message"] === "string" && entry["message"] !== "" ? entry["message"] : undefined,
});

const RESERVED = new Set([
  "language",
  "entrypoint",
  "authors",
  "model_solution",
  "permitted",
  "required",
  "score",
  "message",
  "use_for_time_limit",
]);

/** What submissions.yaml says of one submission. */
function metadataOf(yaml: Mapping, folder: string, path: string): Metadata {
  let language: string | undefined;
  let entryPoint: string | undefined;
  const rules: (Rule & { replaces?: boolean })[] = [];
  for (const [pattern, entry] of Object.entries(yaml)) {
    if (!isMapping(entry) || !globMatches(pattern, path)) continue;
    if (typeof entry["language"] === "string") language = entry["language"];
    if (typeof entry["entrypoint"] === "string") entryPoint = entry["entrypoint"];
    const rule = ruleOf(entry);
    if (rule.permitted ?? rule.required ?? rule.message ?? rule.score)
      rules.push({ ...rule, replaces: pattern === folder });
    for (const [tests, inner] of Object.entries(entry)) {
      if (!RESERVED.has(tests) && isMapping(inner)) rules.push({ ...ruleOf(inner), tests });
    }
  }
  return {
    rules,
    ...(language === undefined ? {} : { language }),
    ...(entryPoint === undefined ? {} : { entryPoint }),
  };
}

/** Language of the files together, by the format's rules; a reason when there is none. */
function languageOf(files: readonly ProgramFile[]): { language?: LanguageId; reason: string } {
  const python2 = files.some(({ name, content }) => name.endsWith(".py") && /^#!.*python2/.test(content));
  if (python2) return { reason: "Python 2 is no language here" };
  // The format gives Prolog and Perl the same ending; a clause of Prolog is at the beginning of a line.
  const prolog = files.some(
    ({ name, content }) => name.endsWith(".pl") && /^(?:[a-z]\w*(?:\([^)\n]*\))?\s*)?:-/m.test(content),
  );
  if (prolog) return { reason: "Prolog is no language here" };
  const found = new Set(files.map(({ name }) => languageOfFile(name)).filter((one) => one !== undefined));
  if (found.has("cpp")) found.delete("c");
  const [language] = found;
  if (language === undefined) {
    const endings = [...new Set(files.map(({ name }) => name.slice(name.lastIndexOf("."))))];
    return { reason: `no language here for ${endings.join(", ")}` };
  }
  if (found.size > 1) return { reason: `several languages: ${[...found].join(", ")}` };
  return { language, reason: "" };
}

async function readFiles(path: string): Promise<{ files: ProgramFile[]; folders: boolean }> {
  const info = await stat(path);
  if (info.isFile())
    return {
      files: [{ name: path.slice(path.lastIndexOf("/") + 1), content: await readSource(path) }],
      folders: false,
    };
  const names = (await readdir(path)).filter((name) => !name.startsWith(".")).toSorted();
  const files: ProgramFile[] = [];
  let folders = false;
  for (const name of names) {
    if ((await stat(join(path, name))).isFile())
      files.push({ name, content: await readSource(join(path, name)) });
    else folders = true;
  }
  return { files, folders };
}

async function readProgram(
  submissions: string,
  folder: string,
  name: string,
  context: { yaml: Mapping; legacy: boolean; legacyScoring: boolean; constants: Constants },
): Promise<Program> {
  const path = `${folder}/${name}`;
  const { files: written, folders } = await readFiles(join(submissions, path));
  const files = written.map((file) => ({
    name: file.name,
    content: replaceConstants(file.content, context.constants),
  }));
  const metadata = metadataOf(context.yaml, folder, path);
  const annotation = files.map(({ content }) => readAnnotation(content)).find((one) => one !== undefined);
  const expectation = expectationOf({ ...context, folder, annotation, rules: metadata.rules });
  const shared = { path, expectation, entryPoint: metadata.entryPoint };
  // So BAPCtools switches a submission off, be it a file or a folder.
  if (name.endsWith(".disabled")) return { ...shared, files, language: undefined, reason: "switched off" };
  if (folders)
    return { ...shared, files, language: undefined, reason: "folders inside a program are not supported" };
  const told = metadata.language === undefined ? undefined : languageNamed(metadata.language);
  if (metadata.language !== undefined && told === undefined) {
    return { ...shared, files, language: undefined, reason: `${metadata.language} is no language here` };
  }
  const { language, reason } = told === undefined ? languageOf(files) : { language: told, reason: "" };
  // Notes beside the sources would only be refused or confuse a compiler.
  const wanted = files.filter(
    (file) => told !== undefined || languageOfFile(file.name) !== undefined || HEADER.test(file.name),
  );
  return { ...shared, files: language === undefined ? files : wanted, language, reason };
}

/** A YAML mapping; empty when there is no such file. Throws CliTrouble for a broken one. */
async function readMapping(path: string): Promise<Mapping> {
  const text = await readFile(path, "utf8").catch(() => "");
  try {
    const parsed: unknown = parse(text);
    return isMapping(parsed) ? parsed : {};
  } catch (error) {
    throw new CliTrouble(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** What the format has put into submissions; `{{name.key}}` is BAPCtools' own, and not for them. */
const plainConstants = (constants: Constants): Constants =>
  new Map([...constants].filter(([name]) => !name.includes(".")));

/** All submissions of the package in `directory`, by folder and name. */
export async function readPrograms(directory: string): Promise<Program[]> {
  const submissions = join(directory, "submissions");
  const problem = await readMapping(join(directory, "problem.yaml"));
  const version = problem["problem_format_version"] ?? "legacy";
  const legacy = version === "legacy" || version === "legacy-icpc";
  const grading = await readMapping(join(directory, "data", "testdata.yaml"));
  const context = {
    yaml: await readMapping(join(submissions, "submissions.yaml")),
    legacy,
    // What is wrong with them the import has said.
    constants: plainConstants(readConstants(legacy ? undefined : problem["constants"], () => {})),
    // Drafts of 2025-09 had the same files.
    legacyScoring: [problem["type"]].flat().includes("scoring") && (legacy || "grader_flags" in grading),
  };
  const folders = await readdir(submissions, { withFileTypes: true }).catch(() => []);
  const programs: Program[] = [];
  for (const folder of folders
    .filter((one) => one.isDirectory())
    .map((one) => one.name)
    .toSorted()) {
    const names = (await readdir(join(submissions, folder)))
      .filter((name) => /^[A-Za-z0-9_]/.test(name))
      .toSorted();
    for (const name of names) {
      if (/^readme/i.test(name)) continue;
      programs.push(await readProgram(submissions, folder, name, context));
    }
  }
  return programs;
}
