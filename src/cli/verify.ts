import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "./client.ts";
import { missOf } from "./expectation.ts";
import { type ImportAnswer, importProblem } from "./importproblem.ts";
import { LANGUAGES, PROBLEM, type ProblemView, type SubmissionView } from "./operations.ts";
import { milliseconds, type Output, plain } from "./output.ts";
import { readPolygonPrograms } from "./polygonprograms.ts";
import { type Program, readPrograms } from "./programs.ts";
import { findingLine } from "./show.ts";
import { handIn } from "./submit.ts";
import { ApiRefusal, CliTrouble, PackageTrouble } from "./trouble.ts";

/** The last line of `verify --json`. */
export interface VerifyReport {
  /** Programs found, offered or not. */
  submissions: number;
  asExpected: number;
  notOffered: number;
  misses: { path: string; expected: string; got: string }[];
  /** Of the submissions of scoring problems, by path. */
  scores: Record<string, number>;
}

type Result =
  | { readonly type: "judged"; readonly view: SubmissionView; readonly miss: string | undefined }
  | { readonly type: "notOffered"; readonly reason: string }
  | { readonly type: "refused"; readonly miss: string };

/** Programs under way at once: enough to keep every slot busy, few enough to leave the queue to others. */
const AT_ONCE = 8;

async function judge(
  client: Client,
  problem: string,
  program: Program,
  offered: ReadonlyMap<string, string>,
): Promise<Result> {
  if (program.language === undefined) return { type: "notOffered", reason: program.reason };
  const missing = offered.get(program.language);
  if (missing !== undefined) return { type: "notOffered", reason: missing };
  let submission: SubmissionView;
  try {
    const answer = await handIn(client, {
      problem,
      language: program.language,
      files: program.files,
      allTests: true,
      ...(program.entryPoint === undefined ? {} : { entryPoint: program.entryPoint }),
      idempotencyKey: randomUUID(),
    });
    submission = answer.submission;
  } catch (error) {
    if (!(error instanceof ApiRefusal)) throw error;
    if (error.code === "LANGUAGE_NOT_OFFERED") return { type: "notOffered", reason: error.message };
    return { type: "refused", miss: error.code };
  }
  let view = submission;
  for await (const next of client.watch(submission.id)) view = next;
  return { type: "judged", view, miss: missOf(program.expectation, view) };
}

function resultLine(out: Output, program: Program, result: Result, width: number): string {
  const path = plain(program.path).padEnd(width);
  const expected = program.expectation.label;
  if (result.type === "notOffered") return out.dim(`  --    ${path}  not offered: ${plain(result.reason)}`);
  if (result.type === "refused")
    return `  ${out.bad("MISS")}  ${path}  ${out.bad(`refused: ${result.miss}`)}, expected ${expected}`;
  const { view, miss } = result;
  const got = (view.verdict ?? view.state).padEnd(4);
  const score = view.score === null ? "" : `score ${view.score}  `;
  const facts = `${score}${view.testsDone}/${view.testsTotal} tests  ${view.cpuMs === null ? "" : milliseconds(view.cpuMs)}`;
  if (miss === undefined) return `  ${out.good("ok")}    ${path}  ${got}  ${out.dim(facts)}`;
  const said = view.verdict === "CE" ? view.compile?.message : view.judgement.deadLetter?.reason;
  const more =
    said === undefined || said === ""
      ? ""
      : `\n        ${plain(said).trimEnd().replaceAll("\n", "\n        ")}`;
  return `  ${out.bad("MISS")}  ${path}  ${out.bad(miss)}, expected ${expected}  ${out.dim(facts)}${out.dim(more)}`;
}

/** Languages that cannot be judged now, with the reason. */
async function missingLanguages(client: Client): Promise<Map<string, string>> {
  const { languages } = await client.request(LANGUAGES);
  return new Map(
    languages
      .filter(({ offered }) => !offered)
      .map(({ language, reasons }) => [language.id, reasons[0] ?? `no executor offers ${language.name}`]),
  );
}

/** How long the measuring of a time limit is waited for: the judging of some accepted submissions. */
const LONGEST_MEASURING_MS = 15 * 60_000;
const LOOK_MS = 500;

/** The problem once its time limit is known. */
async function withTimeLimit(
  client: Client,
  imported: ProblemView,
  signal: AbortSignal,
): Promise<ProblemView> {
  let problem = imported;
  for (let waited = 0; problem.timeLimitIsInferred === null; waited += LOOK_MS) {
    if (waited > LONGEST_MEASURING_MS) {
      throw new CliTrouble(`The time limit of ${problem.id} is still being measured; is there a queue?`);
    }
    await sleep(LOOK_MS, undefined, { signal });
    problem = (await client.request(PROBLEM, { id: problem.id })).problem ?? problem;
  }
  return problem;
}

/** A directory that cannot be sent at all is refused like a package that the server refuses: the others go on. */
async function importOrRefuse(client: Client, path: string): Promise<ImportAnswer> {
  try {
    return await importProblem(client, { path });
  } catch (error) {
    if (!(error instanceof PackageTrouble)) throw error;
    const { message } = error;
    return {
      type: "refused",
      message,
      findings: [{ severity: "error", file: "", line: null, message, expected: null }],
    };
  }
}

async function verifyPackage(
  deps: { client: Client; out: Output },
  input: { directory: string; report: VerifyReport; signal: AbortSignal },
): Promise<void> {
  const { client, out } = deps;
  const { report, signal } = input;
  const directory = resolve(input.directory);
  const name = basename(directory);
  const imported = await importOrRefuse(client, directory);
  if (imported.type === "refused") {
    out.line(`${out.bold(name)}  ${out.bad("refused")}`);
    for (const finding of imported.findings) out.line(findingLine(out, finding));
    const errors = imported.findings.filter(({ severity }) => severity === "error").length;
    report.misses.push({ path: name, expected: "a package that can be imported", got: `${errors} errors` });
    return;
  }
  const problem = await withTimeLimit(client, imported.problem, signal);
  const limits = `${problem.timeMs / 1000} s, ${problem.memoryMiB} MiB, ${problem.testCount} tests`;
  out.line(`${out.bold(plain(problem.name))}  ${out.dim(`${problem.id}: ${limits}`)}`);
  for (const warning of imported.warnings) out.line(findingLine(out, warning));
  const offered = await missingLanguages(client);
  const programs = existsSync(join(directory, "problem.yaml"))
    ? await readPrograms(directory)
    : await readPolygonPrograms(directory);
  const width = Math.max(0, ...programs.map(({ path }) => path.length));
  const results: Promise<Result>[] = [];
  const begin = (index: number): void => {
    const program = programs[index];
    if (program === undefined || signal.aborted) return;
    const result = judge(client, problem.id, program, offered);
    // It is awaited in its turn below; until then a failure must not count as unhandled.
    result.catch(() => {});
    results[index] = result;
    void result.then(
      () => begin(results.length),
      () => {},
    );
  };
  for (let index = 0; index < AT_ONCE; index++) begin(index);
  for (const [index, program] of programs.entries()) {
    signal.throwIfAborted();
    const result = await results[index];
    if (result === undefined) break;
    out.line(resultLine(out, program, result, width));
    report.submissions += 1;
    const file = `${name}/submissions/${program.path}`;
    if (result.type === "judged" && result.view.score !== null) report.scores[file] = result.view.score;
    if (result.type === "notOffered") report.notOffered += 1;
    else if (result.miss === undefined) report.asExpected += 1;
    else {
      report.misses.push({ path: file, expected: program.expectation.label, got: result.miss });
    }
  }
}

/** Judges every submission of each package through the queue and compares with what the package promises. */
export async function verify(
  deps: { client: Client; out: Output },
  input: { directories: readonly string[]; signal: AbortSignal },
): Promise<VerifyReport> {
  const { out } = deps;
  const report: VerifyReport = { submissions: 0, asExpected: 0, notOffered: 0, misses: [], scores: {} };
  for (const directory of input.directories) {
    await verifyPackage(deps, { directory, report, signal: input.signal });
    out.line();
  }
  const summary = `${report.asExpected} of ${report.submissions - report.notOffered} as expected`;
  const rest = report.notOffered === 0 ? "" : `, ${report.notOffered} not offered`;
  const misses =
    report.misses.length === 0 ? out.good("no misses") : out.bad(`${report.misses.length} misses`);
  out.line(`${summary}${rest}, ${misses}`);
  return report;
}
