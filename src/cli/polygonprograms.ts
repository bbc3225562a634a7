import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { languageOfFile } from "../shared/language.ts";
import { elementsAt, parseXml } from "../shared/xml.ts";
import type { Verdict } from "../shared/verdict.ts";
import type { Program } from "./programs.ts";
import { readSource } from "./submit.ts";
import { CliTrouble } from "./trouble.ts";

/** What a tag of Polygon promises of a solution; others promise nothing. */
const TAGS: Readonly<Record<string, readonly Verdict[]>> = {
  main: ["AC"],
  accepted: ["AC"],
  "wrong-answer": ["WA"],
  "presentation-error": ["WA"],
  "time-limit-exceeded": ["TLE"],
  "time-limit-exceeded-or-accepted": ["AC", "TLE"],
  "time-limit-exceeded-or-memory-limit-exceeded": ["MLE", "TLE"],
  "memory-limit-exceeded": ["MLE"],
  rejected: ["CE", "MLE", "OLE", "RTE", "TLE", "WA"],
  failed: ["CE", "MLE", "OLE", "RTE", "TLE", "WA"],
};

/** The solutions that problem.xml names, with what their tags promise. Throws CliTrouble when it cannot be read. */
export async function readPolygonPrograms(directory: string): Promise<Program[]> {
  const path = join(directory, "problem.xml");
  let solutions: ReturnType<typeof elementsAt>;
  try {
    solutions = elementsAt(parseXml(await readFile(path, "utf8")), "assets", "solutions", "solution");
  } catch (error) {
    throw new CliTrouble(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const programs: Program[] = [];
  for (const solution of solutions) {
    const source = elementsAt(solution, "source")[0]?.attributes["path"] ?? "";
    const verdicts = TAGS[solution.attributes["tag"] ?? ""];
    const language = languageOfFile(source);
    programs.push({
      path: source,
      files: [{ name: basename(source), content: await readSource(join(directory, source)) }],
      expectation: { label: verdicts?.join("|") ?? "anything", verdicts, rules: [] },
      entryPoint: undefined,
      language: language === "text" ? undefined : language,
      reason: `no language here for ${basename(source)}`,
    });
  }
  return programs;
}
