import { mkdtempSync, rmSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { missOf } from "../../src/cli/expectation.ts";
import type { SubmissionView } from "../../src/cli/operations.ts";
import { packDirectory } from "../../src/cli/pack.ts";
import { type Program, readPrograms } from "../../src/cli/programs.ts";
import { type JudgeResult, JudgeResult as Result } from "../../src/shared/judging.ts";
import { LANGUAGE_IDS, LANGUAGES, type LanguageId } from "../../src/shared/language.ts";
import { Job } from "../../src/shared/protocol.ts";
import { type Judging, openJudging } from "../executors/judge/harness.ts";
import { findLanguages, type FoundLanguages } from "../executors/judge/toolchains.ts";
import { collectImports } from "../server/problems/importing.ts";
import { bapctoolsSource, problemtoolsSource, scoresByProblemtools } from "../support/problemtools.ts";

/**
 * Packages of the format's own tools, judged in the real sandbox: each submission does what its package says of it.
 * `npm run docket -- verify` does the same through the queue, and with all of them.
 */

/** More, for a run by hand: folders of packages, separated by colons. */
const more = (process.env["DOCKET_TEST_PACKAGES"] ?? "").split(":").filter((one) => one !== "");

let found: FoundLanguages;
let judging: Judging;
let temporaryFolder: string;
/** As problemtools computes them. */
let oddechoScores: Readonly<Record<string, number>>;
let sources: Readonly<Record<"problemtools" | "bapctools", string>>;
beforeAll(async () => {
  const [problemtools, bapctools] = await Promise.all([problemtoolsSource(), bapctoolsSource()]);
  sources = { problemtools: join(problemtools, "examples"), bapctools: join(bapctools, "test/problems") };
  // While this process is root still: it installs what is missing.
  oddechoScores = await scoresByProblemtools(join(sources.problemtools, "oddecho"));
  found = await findLanguages(more.length > 0 ? LANGUAGE_IDS : ["c", "cpp", "python", "java", "bash"]);
  judging = await openJudging(found);
  temporaryFolder = mkdtempSync(join(judging.workDir, "imports-"));
}, 900_000);
afterAll(async () => await judging.close());

async function imported(directory: string) {
  const imports = collectImports({}, temporaryFolder);
  const { bytes } = await packDirectory(directory);
  const result = await imports.run(bytes);
  const manifest = imports.manifest(result);
  if (result.type !== "imported") throw new Error("refused");
  for (const blob of imports.blobs.values()) judging.put(Buffer.from(blob));
  // What a limit is inferred from is not measured here, and a busy machine is no reason to fail.
  const limits =
    result.problem.timing === undefined ? manifest.limits : { ...manifest.limits, timeMs: 2_000 };
  return { problem: manifest.problem, manifest: judging.put(JSON.stringify({ ...manifest, limits })).sha256 };
}

function viewOf(result: JudgeResult, language: LanguageId): SubmissionView {
  return {
    id: "",
    revision: 1,
    state: "FINISHED",
    owner: "jury",
    problem: null,
    language: { id: language, name: LANGUAGES[language].name },
    createdAt: "",
    testsDone: result.tests.length,
    judgement: { generation: 1 },
    ...result,
    compile: result.compile ?? null,
    score: result.score ?? null,
    groups: (result.groups ?? []).map((group) => ({
      ...group,
      score: group.score ?? null,
      maxScore: group.maxScore ?? null,
    })),
  };
}

/** What the submission did instead of what was promised; undefined when it kept the promise. */
async function miss(
  problem: Awaited<ReturnType<typeof imported>>,
  { language, files, entryPoint, expectation }: Program,
): Promise<{ miss: string | undefined; score: number | undefined }> {
  if (language === undefined) throw new Error("not offered");
  const outcome = await judging.run(
    Job.parse({
      v: 1,
      kind: "judge",
      submission: "0".repeat(26),
      generation: 1,
      dispatch: 1,
      language,
      lane: "practice",
      capability: "none",
      deadlineMs: 600_000,
      payload: {
        language,
        files: files.map(({ name, content }) => ({ name, ...judging.put(content) })),
        ...(entryPoint === undefined ? {} : { entryPoint }),
        allTests: true,
        ...problem,
      },
    }),
  );
  if (outcome.type !== "finished") return { miss: JSON.stringify(outcome), score: undefined };
  const result = Result.parse(outcome.result);
  return { miss: missOf(expectation, viewOf(result, language)), score: result.score };
}

test.each([
  ["problemtools", "hello"],
  ["problemtools", "different"],
  ["problemtools", "oddecho"],
  ["bapctools", "multipass"],
  ["bapctools", "interactivemultipass"],
  ["bapctools", "pseudointeraction"],
  ["bapctools", "boolfind"],
  ["bapctools", "fltcmp"],
  ...more.map((path) => [path, ""] as const),
] as const)("%s %s", { timeout: 240_000 }, async (where, name) => {
  const directory = name === "" ? where : join(sources[where as keyof typeof sources], name);
  const problem = await imported(directory);
  const programs = (await readPrograms(directory)).filter(
    ({ language }) => language !== undefined && found.usable(language) !== undefined,
  );
  expect(programs.length).toBeGreaterThan(0);
  const misses: Record<string, string> = {};
  const scores: Record<string, number> = {};
  for (const program of programs) {
    const judged = await miss(problem, program);
    if (judged.miss !== undefined) misses[program.path] = `${judged.miss}, not ${program.expectation.label}`;
    if (judged.score !== undefined) scores[program.path] = judged.score;
  }
  expect(misses).toEqual({});
  if (basename(directory) === "oddecho") {
    expect(Object.keys(scores)).toHaveLength(3);
    expect(scores).toEqual(oddechoScores);
  }
});

test("nothing is left of the imports", async () => {
  expect(await readdir(temporaryFolder)).toEqual([]);
  rmSync(temporaryFolder, { recursive: true });
});
