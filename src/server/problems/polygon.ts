import type { ManifestProgram, ManifestTest, ProblemManifest } from "../../shared/judging.ts";
import { languageOfFile } from "../../shared/language.ts";
import type { Limits } from "../../shared/limits.ts";
import { elementsAt, parseXml, type XmlElement, XmlMistake } from "../../shared/xml.ts";
import type { Findings } from "./finding.ts";
import { DEFAULT_PACKAGE_LIMITS, MOST_TIME_SECONDS } from "./packagelimits.ts";
import { asSourceFile } from "./tests.ts";
import { readPoints } from "./polygonpoints.ts";
import { type PackageTree, readText } from "./tree.ts";
import type { UnpackedFile } from "./unpack.ts";

/** What describes a package of Codeforces Polygon. */
export const POLYGON_FILE = "problem.xml";

interface Deps {
  readonly tree: PackageTree;
  readonly findings: Findings;
  readonly limits: Pick<Limits, "problemTests">;
}

type Described = Omit<ProblemManifest, "problem">;

/** `tests/%02d` with the number put in. */
const numbered = (pattern: string, number: number): string =>
  pattern.replace(/%0?(\d*)d/, (_whole, width: string) => String(number).padStart(Number(width || 0), "0"));

const wholeNumber = (text: string | undefined): number | undefined =>
  text !== undefined && /^\s*\d{1,15}\s*$/.test(text) ? Number(text) : undefined;

/** The number that an element holds; a finding when it holds none within bounds. */
function numberIn(
  { findings }: Deps,
  set: XmlElement,
  name: string,
  rule: { readonly unit: string; readonly most: number },
): number {
  const element = elementsAt(set, name)[0];
  const value = wholeNumber(element?.text);
  if (value !== undefined && value > 0 && value <= rule.most) return value;
  findings.error(
    POLYGON_FILE,
    element ? `${name} is ${JSON.stringify(element.text)}` : `${name} is missing`,
    {
      line: element?.line ?? set.line,
      expected: `a whole number of ${rule.unit}, above 0 and at most ${rule.most}`,
    },
  );
  return 1;
}

function findTests(
  deps: Deps,
  set: XmlElement,
): {
  readonly judged: Pick<Described, "tests" | "groups" | "scoring">;
  readonly blobs: readonly UnpackedFile[];
} {
  const { tree, findings, limits } = deps;
  const count = numberIn(deps, set, "test-count", { unit: "tests", most: limits.problemTests });
  const patternOf = (name: string, usual: string): string => elementsAt(set, name)[0]?.text.trim() || usual;
  const inputs = patternOf("input-path-pattern", "tests/%02d");
  const answers = patternOf("answer-path-pattern", "tests/%02d.a");
  const described = elementsAt(set, "tests", "test");
  const points = readPoints({ findings, file: POLYGON_FILE }, set, count);
  const blobs: UnpackedFile[] = [];
  const tests: ManifestTest[] = [];
  for (let number = 1; number <= count; number++) {
    const [input, answer] = [numbered(inputs, number), numbered(answers, number)].map((path) => {
      const file = tree.files.get(path);
      if (file === undefined) {
        findings.error(path, "the test's file is missing", {
          expected: "a full package, with tests and answers",
        });
      }
      return file;
    });
    if (input === undefined || answer === undefined) continue;
    blobs.push(input, answer);
    tests.push({
      name: numbered(inputs, number),
      sample: described[number - 1]?.attributes["sample"] === "true",
      input: input.sha256,
      answer: answer.sha256,
      inputBytes: input.sizeBytes,
      answerBytes: answer.sizeBytes,
      ...points?.tests[number - 1],
    });
  }
  const scoring = points === undefined ? {} : { groups: points.groups, scoring: true };
  return { judged: { tests, ...scoring }, blobs };
}

interface FoundProgram {
  readonly program: ManifestProgram;
  readonly blobs: readonly UnpackedFile[];
}

/** A program of testlib's with the headers that lie beside it, testlib.h first of all; undefined when there is none. */
function findProgram(
  { tree, findings }: Deps,
  problem: XmlElement,
  role: "checker" | "interactor",
): FoundProgram | undefined {
  const [element, second] = elementsAt(problem, "assets", role);
  if (element === undefined) return undefined;
  if (second !== undefined)
    findings.error(POLYGON_FILE, `there is more than one ${role}`, { line: second.line });
  const source = elementsAt(element, "source")[0];
  const path = source?.attributes["path"] ?? "";
  const file = tree.files.get(path);
  const language = languageOfFile(path);
  if (file === undefined || language === undefined || language === "text") {
    findings.error(POLYGON_FILE, `the ${role} ${JSON.stringify(path)} is no source in the package`, {
      line: source?.line ?? element.line,
      expected: `a full package with files/${role === "checker" ? "check" : role}.cpp`,
    });
    return undefined;
  }
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  const headers = [...tree.files]
    .filter(([one]) => one.startsWith(folder) && /^[^/]+\.(h|hpp|hh)$/.test(one.slice(folder.length)))
    .map(([one, header]) => ({ name: one.slice(folder.length), file: header }));
  const files = [{ name: path.slice(folder.length), file }, ...headers];
  return {
    program: { type: "custom", args: [], language, files: files.map(asSourceFile), testlib: true },
    blobs: files.map((one) => one.file),
  };
}

/** What judges: the checker; or the interactor, and the checker what that wrote. */
function findJudges(
  deps: Deps,
  problem: XmlElement,
): {
  readonly judges: Pick<Described, "validator" | "checker" | "interactive">;
  readonly blobs: readonly UnpackedFile[];
} {
  const interactor = findProgram(deps, problem, "interactor");
  const checker = findProgram(deps, problem, "checker");
  const blobs = [interactor, checker].flatMap((one) => one?.blobs ?? []);
  if (elementsAt(problem, "assets", "checker").length === 0) {
    const instead =
      interactor === undefined ? "outputs are compared token by token" : "the interactor alone decides";
    deps.findings.warn(POLYGON_FILE, `there is no checker: ${instead}`, { line: problem.line });
  }
  if (interactor === undefined) {
    return { judges: { validator: checker?.program ?? { type: "default", args: [] } }, blobs };
  }
  const then = checker === undefined ? {} : { checker: checker.program };
  return { judges: { validator: interactor.program, interactive: true, ...then }, blobs };
}

function nameOf(problem: XmlElement): string | undefined {
  const names = elementsAt(problem, "names", "name");
  const english = names.find(({ attributes }) => attributes["language"] === "english");
  return (english ?? names[0])?.attributes["value"];
}

/** Reads problem.xml and what it names; undefined, with findings, when it cannot be read at all. */
export async function readPolygon(
  deps: Deps,
): Promise<{ manifest: Described; blobs: readonly UnpackedFile[] } | undefined> {
  const { tree, findings } = deps;
  const text = await readText(tree, POLYGON_FILE, findings);
  if (text === undefined) return undefined;
  let problem: XmlElement;
  try {
    problem = parseXml(text);
  } catch (error) {
    if (!(error instanceof XmlMistake)) throw error;
    findings.error(POLYGON_FILE, `not valid XML: ${error.message}`, { line: error.line });
    return undefined;
  }
  const [judging] = elementsAt(problem, "judging");
  const sets = judging === undefined ? [] : elementsAt(judging, "testset");
  const set = sets.find(({ attributes }) => attributes["name"] === "tests") ?? sets[0];
  if (judging === undefined || set === undefined) {
    findings.error(POLYGON_FILE, "there is no set of tests", { expected: '<judging><testset name="tests">' });
    return undefined;
  }
  for (const key of ["input-file", "output-file"]) {
    if ((judging.attributes[key] ?? "") !== "") {
      findings.error(POLYGON_FILE, `${key} is not supported: programs read and write standard streams`, {
        line: judging.line,
      });
    }
  }
  const runs = judging.attributes["run-count"] ?? "1";
  if (runs !== "1") {
    findings.error(
      POLYGON_FILE,
      `run-count is ${JSON.stringify(runs)}: programs are run once for each test`,
      {
        line: judging.line,
        expected: '"1"',
      },
    );
  }
  const { judged, blobs } = findTests(deps, set);
  const { judges, blobs: sources } = findJudges(deps, problem);
  const bytes = numberIn(deps, set, "memory-limit", { unit: "bytes", most: 64 * 2 ** 30 });
  const manifest: Described = {
    v: 1,
    name: (nameOf(problem) ?? problem.attributes["short-name"] ?? "problem").slice(0, 200),
    limits: {
      ...DEFAULT_PACKAGE_LIMITS,
      timeMs: numberIn(deps, set, "time-limit", { unit: "milliseconds", most: MOST_TIME_SECONDS * 1_000 }),
      memoryMiB: Math.max(1, Math.round(bytes / 2 ** 20)),
    },
    runAllTests: false,
    ...judged,
    ...judges,
  };
  return { manifest, blobs: [...blobs, ...sources] };
}
