import type { LanguageId } from "../shared/language.ts";
import type { Fault, Job } from "../shared/protocol.ts";
import {
  importDefault,
  loadWorkload,
  type NamedWorkload,
  type WorkFile,
  type Workload,
  WorkloadUnfit,
  WorkPayload,
} from "../shared/workload.ts";
import { faultOf } from "./judge/faults.ts";
import { openWorkspace, type Workspace } from "./judge/workspace.ts";
import type { Toolchain } from "./languages/language.ts";
import type { Sandbox } from "./sandbox/sandbox.ts";
import type { Outcome, WorkContext, WorkKind } from "./work.ts";

/** One job in the hands of a kind of work. */
export interface WorkInHand<Input> extends Pick<WorkContext, "slot" | "signal" | "log"> {
  readonly input: Input;
  /** What came with it: local, read-only copies. */
  readonly files: readonly { readonly name: string; readonly path: string }[];
  /** The only way to run a program. */
  readonly sandbox: Sandbox;
  /** A folder of this job's own, made at the first call and gone with the job. */
  workspace(): Promise<Workspace>;
  /** Of a language in `needs`. */
  readonly toolchain: (language: LanguageId) => Toolchain;
  /** What is known so far, whole each time; shown while the job runs. */
  report(result: unknown): void;
}

/** How a kind of work is done: the default export of `executor.ts` in its folder. */
export interface WorkDoer<Input = unknown> {
  /** Languages whose toolchain must work on an executor that offers this. */
  readonly needs?: readonly LanguageId[];
  /**
   * Returns the result: JSON of at most 1 MiB. What is wrong with the input belongs into the result; a throw is a fault
   * of ours, tried again up to the limit `tries`, and WorkFault says more about it.
   */
  run(job: WorkInHand<Input>): Promise<unknown>;
}

/** Only ties the type of the input to that of the shared half. */
export const defineDoer = <Input>(_work: Workload<Input>, doer: WorkDoer<Input>): WorkDoer<Input> => doer;

/** Why a job of such a kind could not be done. `retry: false`: another try cannot help. */
export class WorkFault extends Error {
  readonly retry: boolean;
  constructor(
    message: string,
    { retry = true, ...options }: ErrorOptions & { readonly retry?: boolean } = {},
  ) {
    super(message, options);
    this.name = "WorkFault";
    this.retry = retry;
  }
}

/** Both halves of a kind of work. */
export interface LoadedWork {
  readonly workload: NamedWorkload;
  readonly doer: WorkDoer;
}

/** Throws WorkloadUnfit. */
export async function loadWork(folder: string): Promise<LoadedWork> {
  const workload = await loadWorkload(folder);
  const doer = (await importDefault(folder, "executor.ts")) as Partial<WorkDoer> | undefined;
  if (typeof doer?.run !== "function")
    throw new WorkloadUnfit(`${folder}/executor.ts: its default export has no function "run"`);
  return { workload, doer: { ...doer, run: doer.run } };
}

export interface WorkDeps {
  readonly sandbox: Sandbox;
  readonly workDir: string;
  readonly toolchain: (language: LanguageId) => Toolchain | undefined;
}

/** The executor's half as the backbone takes it. */
export function createWork(deps: WorkDeps, { workload, doer }: LoadedWork): WorkKind {
  const toolchain = (language: LanguageId): Toolchain => {
    const found = deps.toolchain(language);
    if (found === undefined) throw new WorkFault(`${language} is not in the needs of ${workload.name}`);
    return found;
  };
  return {
    kind: workload.name,
    run: async (job, context) => {
      const given = readPayload(workload, job);
      if ("type" in given) return given;
      const opened: { readonly name: string; readonly path: string; release(): void }[] = [];
      let made: Promise<Workspace> | undefined;
      const workspace = (): Promise<Workspace> => (made ??= openWorkspace(deps, context.slot));
      try {
        for (const { name, sha256 } of given.files) {
          opened.push({ name, ...(await context.blobs.open(sha256)) });
        }
        const result = await doer.run({
          ...context,
          input: given.input,
          files: opened,
          sandbox: deps.sandbox,
          workspace,
          toolchain,
          report: (partial) => context.report("progress", partial),
        });
        return context.signal.aborted ? { type: "stopped" } : { type: "finished", result };
      } catch (error) {
        if (context.signal.aborted) return { type: "stopped" };
        return { type: "fault", fault: faultOfWork(error) };
      } finally {
        for (const file of opened) file.release();
        await removeWorkspace(made, context.log);
      }
    },
  };
}

/** What cannot be removed now is removed at the next start; how the job ended stands. */
async function removeWorkspace(made: Promise<Workspace> | undefined, log: WorkContext["log"]): Promise<void> {
  try {
    await (await made)?.close();
  } catch (error) {
    log.error({ err: error }, "job folder stays");
  }
}

interface Given {
  readonly input: unknown;
  readonly files: readonly WorkFile[];
}

function readPayload(workload: NamedWorkload, job: Job): Given | Outcome {
  const payload = WorkPayload.safeParse(job.payload);
  const input = payload.success ? workload.input.safeParse(payload.data.input) : payload;
  if (payload.success && input.success) return { input: input.data, files: payload.data.files };
  const message = `The job does not fit the schema of ${workload.name}: ${input.error?.message ?? ""}`;
  return { type: "fault", fault: { code: "JOB_MALFORMED", message, retry: false, shared: false } };
}

function faultOfWork(error: unknown): Fault {
  try {
    return faultOf(error);
  } catch {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    const retry = !(error instanceof WorkFault) || error.retry;
    return {
      code: "WORK_FAILED",
      message,
      retry,
      shared: false,
      ...(stack === undefined ? {} : { log: stack }),
    };
  }
}
