import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Client } from "../cli/client.ts";
import { type SubmissionView, SUBMIT } from "../cli/operations.ts";
import { mebibytes, milliseconds, type Output } from "../cli/output.ts";
import { ApiRefusal } from "../cli/trouble.ts";
import { LANGUAGES } from "../shared/language.ts";
import { secondsSince } from "./elapsed.ts";
import type { ExampleProgram } from "./examples.ts";

interface Show {
  readonly client: Client;
  readonly out: Output;
}

/**
 * Submits all programs at once through the public API and prints every update as it arrives. Resolves to the
 * programs whose verdict was not the expected one.
 */
export async function judgeExamples(
  show: Show,
  programs: readonly ExampleProgram[],
): Promise<ExampleProgram[]> {
  const begun = performance.now();
  const ended = await Promise.all(
    programs.map(async (program) => ({ program, view: await judgeExample(show, program, begun) })),
  );
  return ended
    .filter(({ program, view }) => view?.verdict !== program.expected)
    .map(({ program }) => program);
}

async function judgeExample(
  { client, out }: Show,
  program: ExampleProgram,
  begun: number,
): Promise<SubmissionView | undefined> {
  const file = { name: basename(program.path), content: await readFile(program.path, "utf8") };
  const input = { problem: program.problem, language: program.language, files: [file] };
  const { submitSubmission: answer } = await client.request(SUBMIT, { input });
  if (!("submission" in answer)) throw new ApiRefusal(answer.code, answer.message);
  let last: SubmissionView | undefined;
  for await (const view of client.watch(answer.submission.id)) {
    last = view;
    out.line(`  ${out.dim(secondsSince(begun).padStart(8))}  ${updateRow(out, program, view)}`);
  }
  return last;
}

/** `Python 3    right  RUNNING    2/5 tests` */
function updateRow(out: Output, program: ExampleProgram, view: SubmissionView): string {
  const who = `${LANGUAGES[program.language].name.padEnd(11)} ${program.kind.padEnd(6)}`;
  const what = (view.verdict ?? view.state).padEnd(9);
  const tests = view.testsTotal === 0 ? "" : `${view.testsDone}/${view.testsTotal} tests`;
  if (view.verdict === null) {
    const trouble = view.judgement.deadLetter?.reason;
    return `${who} ${trouble === undefined ? out.dim(`${what} ${tests}`) : out.bad(`${what} ${trouble}`)}`;
  }
  const used = `${milliseconds(view.cpuMs ?? 0).padStart(7)} CPU  ${mebibytes(view.memoryKiB ?? 0).padStart(10)}`;
  const row = `${tests.padEnd(10)} ${out.dim(used)}`;
  if (view.verdict === program.expected) return `${who} ${out.good(what)} ${row}`;
  return `${who} ${out.bad(what)} ${row}  ${out.bad(`expected ${program.expected}`)}`;
}
