import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { z } from "zod";
import { LANGUAGES } from "../shared/language.ts";
import { Verdict } from "../shared/verdict.ts";
import { type ApiAccess, ApiError, ask, follow } from "./api.ts";
import type { ExampleProgram } from "./examples.ts";
import { seconds, type Terminal } from "./terminal.ts";

const SubmitAnswer = z.object({
  submitSubmission: z.union([
    z.object({ submission: z.object({ id: z.string() }) }),
    z.object({ code: z.string(), message: z.string() }),
  ]),
});

const SUBMIT = `mutation Submit($input: SubmitSubmissionInput!) {
  submitSubmission(input: $input) {
    ... on SubmitSubmissionSuccess { submission { id } }
    ... on UserError { code message }
  }
}`;

const Update = z.object({
  state: z.string(),
  verdict: Verdict.nullable(),
  testsDone: z.int(),
  testsTotal: z.int(),
  cpuMs: z.number().nullable(),
  memoryKiB: z.number().nullable(),
});
type Update = z.infer<typeof Update>;

const WATCH = `subscription Watch($id: ID!) {
  verdictUpdated(submissionId: $id) { state verdict testsDone testsTotal cpuMs memoryKiB }
}`;

/**
 * Submits all programs at once through the public API and prints every update as it arrives. Resolves to the
 * programs whose verdict was not the expected one.
 */
export async function judgeExamples(
  deps: { readonly api: ApiAccess; readonly terminal: Terminal },
  programs: readonly ExampleProgram[],
): Promise<ExampleProgram[]> {
  const begun = performance.now();
  const ended = await Promise.all(
    programs.map(async (program) => ({ program, verdict: await judgeExample(deps, program, begun) })),
  );
  return ended.filter(({ program, verdict }) => verdict !== program.expected).map(({ program }) => program);
}

async function judgeExample(
  deps: { readonly api: ApiAccess; readonly terminal: Terminal },
  program: ExampleProgram,
  begun: number,
): Promise<Verdict | undefined> {
  const { api, terminal } = deps;
  const file = { name: basename(program.path), content: await readFile(program.path, "utf8") };
  const input = { problem: program.problem, language: program.language, files: [file] };
  const { submitSubmission } = await ask(api, SubmitAnswer, SUBMIT, { input });
  if (!("submission" in submitSubmission)) throw new ApiError(submitSubmission.message);
  let last: Update | undefined;
  const Data = z.object({ verdictUpdated: Update });
  for await (const { verdictUpdated } of follow(api, Data, WATCH, { id: submitSubmission.submission.id })) {
    last = verdictUpdated;
    terminal.line(updateRow(terminal, program, last, performance.now() - begun));
  }
  return last?.verdict ?? undefined;
}

/** `  0.42 s  Python 3    right  RUNNING    2/5 tests` */
function updateRow(terminal: Terminal, program: ExampleProgram, update: Update, elapsedMs: number): string {
  const when = terminal.dim(seconds(elapsedMs).padStart(8));
  const who = `${LANGUAGES[program.language].name.padEnd(11)} ${program.kind.padEnd(6)}`;
  const what = (update.verdict ?? update.state).padEnd(9);
  const tests = update.testsTotal === 0 ? "" : `${update.testsDone}/${update.testsTotal} tests`;
  if (update.verdict === null) return `  ${when}  ${who} ${terminal.dim(`${what} ${tests}`)}`;
  const asExpected = update.verdict === program.expected;
  const paint = asExpected ? terminal.good : terminal.bad;
  const used = `${Math.round(update.cpuMs ?? 0)} ms CPU, ${((update.memoryKiB ?? 0) / 1024).toFixed(1)} MiB`;
  const told = asExpected ? "" : terminal.bad(`   expected ${program.expected}`);
  return `  ${when}  ${who} ${paint(what)} ${tests.padEnd(10)} ${terminal.dim(used)}${told}`;
}
