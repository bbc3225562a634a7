import { readFile } from "node:fs/promises";
import { buffer } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";
import { z } from "zod";
import type { Client } from "./client.ts";
import { operation } from "./operations.ts";
import { mebibytes, milliseconds, type Output, plain } from "./output.ts";
import type { ProgramFile } from "./submit.ts";
import { ApiRefusal, CLI_EXIT, CliTrouble, ServerUnreachable } from "./trouble.ts";

const View = z.object({
  id: z.string(),
  revision: z.int(),
  state: z.enum(["PENDING", "QUEUED", "RUNNING", "FINISHED", "FAILED", "CANCELLED"]),
  outcome: z.enum(["OK", "CE", "TLE", "MLE", "OLE", "RTE"]).nullable(),
  compile: z.object({ message: z.string() }).nullable(),
  run: z
    .object({
      exitCode: z.int().nullable(),
      signal: z.string().nullable(),
      cpuMs: z.number(),
      memoryKiB: z.number(),
      stdout: z.string(),
      stdoutTruncated: z.boolean(),
      stderr: z.string(),
      stderrTruncated: z.boolean(),
    })
    .nullable(),
});
export type CodeRunView = z.infer<typeof View>;

const FIELDS = `id revision state outcome compile { message }
  run { exitCode signal cpuMs memoryKiB stdout stdoutTruncated stderr stderrTruncated }`;

const RUN_CODE = operation(
  `mutation RunCode($input: RunCodeInput!) { runCode(input: $input) {
    ... on RunCodeSuccess { codeRun { ${FIELDS} } }
    ... on UserError { code message } ... on RateLimited { retryAfterMs } } }`,
  z.object({
    runCode: z.union([
      z.object({ codeRun: View }),
      z.object({ code: z.string(), message: z.string(), retryAfterMs: z.int().nullish() }),
    ]),
  }),
);

const CODE_RUN = operation(
  `query CodeRun($id: ID!) { codeRun(id: $id) { ${FIELDS} } }`,
  z.object({ codeRun: View.nullable() }),
);

const LOOK_MS = { first: 50, longest: 1_000 };
/** A server that cannot be reached is asked again for so long, milliseconds. */
const PATIENCE_MS = 60_000;

const isOver = ({ state }: CodeRunView): boolean =>
  state === "FINISHED" || state === "FAILED" || state === "CANCELLED";

/** Standard input for the program: a file, or `-` for the command's own. */
export async function readInput(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  if (path === "-") return (await buffer(process.stdin)).toString();
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new CliTrouble(`${path}: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** Has a program run and waits for its end. Throws ApiRefusal, ServerUnreachable. */
export async function runCode(
  client: Client,
  input: {
    readonly language: string;
    readonly files: readonly ProgramFile[];
    readonly entryPoint?: string | undefined;
    readonly stdin?: string | undefined;
    readonly idempotencyKey: string;
  },
): Promise<CodeRunView> {
  const { runCode: answer } = await client.request(RUN_CODE, { input });
  if (!("codeRun" in answer)) {
    throw new ApiRefusal(answer.code, answer.message, answer.retryAfterMs ?? undefined);
  }
  let view = answer.codeRun;
  let heardAt = performance.now();
  for (let pauseMs = LOOK_MS.first; !isOver(view); pauseMs = Math.min(LOOK_MS.longest, pauseMs * 2)) {
    await wait(pauseMs);
    try {
      const { codeRun } = await client.request(CODE_RUN, { id: view.id });
      if (codeRun === null) throw new CliTrouble(`The run ${view.id} is there no more.`);
      view = codeRun;
      heardAt = performance.now();
    } catch (error) {
      if (!(error instanceof ServerUnreachable) || performance.now() - heardAt > PATIENCE_MS) throw error;
    }
  }
  return view;
}

export interface ShowRun {
  /** Where the program's output goes, byte for byte but on a terminal. */
  readonly write: (text: string) => void;
  readonly notes: Output;
}

/** Shows the program's output; its error output, and what came of it, are notes. */
export function showRun({ write, notes }: ShowRun, view: CodeRunView): number {
  const { run, compile, outcome } = view;
  if (view.state === "FAILED") notes.line(notes.bad("Not run because of trouble on our side: try again."));
  if (view.state === "CANCELLED") notes.line(notes.warn("Cancelled"));
  if (compile !== null && compile.message !== "") notes.line(plain(compile.message).trimEnd());
  if (run !== null) {
    write(run.stdout);
    if (run.stderr !== "") notes.line(plain(run.stderr).replace(/\n$/, ""));
    const cut = [run.stdoutTruncated ? "output" : "", run.stderrTruncated ? "error output" : ""].filter(
      Boolean,
    );
    const how = run.signal ?? (run.exitCode === null ? undefined : `exit code ${run.exitCode}`);
    const cost = `${milliseconds(run.cpuMs)}, ${mebibytes(run.memoryKiB)}`;
    const said = [outcome, how, cost, ...(cut.length > 0 ? [`${cut.join(" and ")} cut`] : [])];
    notes.line(notes.dim(said.filter((word) => word != null).join(", ")));
  } else if (outcome !== null) notes.line(notes.bad(outcome));
  return outcome === "OK" ? CLI_EXIT.ok : CLI_EXIT.otherwise;
}
