import { readFile, writeFile } from "node:fs/promises";
import { z } from "zod";
import { Sha256 } from "../../../src/shared/ids.ts";
import { FaultCode } from "../../../src/shared/protocol.ts";
import { BlobFault, type Outcome, type WorkContext, type WorkKind } from "../../../src/executors/work.ts";

export const SLEEP_KIND = "sleep";

/** What a job of the test kind does: the backbone is tested apart from judging. */
export const SleepPayload = z.object({
  ms: z.int().min(0).default(0),
  /** Reports this many progress states before it sleeps. */
  progress: z.int().default(0),
  /** Blob to read; its text is part of the result. */
  blob: Sha256.optional(),
  /** Fault to end with. */
  fault: FaultCode.optional(),
  /** With `fault`: as its flags. */
  shared: z.boolean().default(false),
  retry: z.boolean().default(true),
  /** Throws instead of ending. */
  throws: z.string().optional(),
  /** Size of a text in the result, characters. */
  textCharacters: z.int().default(0),
  /** Does not stop when told to. */
  stubborn: z.boolean().default(false),
  /** File to write when the work was stopped, with the reason's time. */
  stoppedFile: z.string().optional(),
});
export type SleepPayload = z.input<typeof SleepPayload>;

export interface SleepWatch {
  /** Called when a job starts and when it ends, however. */
  readonly begun?: (submission: string) => void;
  readonly ended?: (submission: string) => void;
  /** Called with the reason when one is told to stop. */
  readonly stopped?: (reason: unknown) => void;
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, ms);
    if (signal.aborted) done();
    signal.addEventListener("abort", done, { once: true });
  });
}

async function run(payload: z.output<typeof SleepPayload>, context: WorkContext): Promise<Outcome> {
  let text = "";
  if (payload.blob !== undefined) {
    try {
      const blob = await context.blobs.open(payload.blob);
      text = await readFile(blob.path, "utf8");
      blob.release();
    } catch (error) {
      if (!(error instanceof BlobFault)) throw error;
      const { code, message, shared } = error;
      return { type: "fault", fault: { code, message, retry: true, shared } };
    }
  }
  context.report("compiled", { compiled: true });
  for (let done = 1; done <= payload.progress; done++) context.report("progress", { done });
  await sleep(payload.ms, payload.stubborn ? new AbortController().signal : context.signal);
  if (context.signal.aborted) {
    if (payload.stoppedFile !== undefined)
      await writeFile(payload.stoppedFile, String(context.signal.reason));
    return { type: "stopped" };
  }
  if (payload.throws !== undefined) throw new Error(payload.throws);
  if (payload.fault !== undefined) {
    const { fault: code, retry, shared } = payload;
    return { type: "fault", fault: { code, message: "as the test wants", retry, shared } };
  }
  return {
    type: "finished",
    result: { slot: context.slot, text, verdict: "AC", long: "x".repeat(payload.textCharacters) },
  };
}

export function createSleepKind(watch: SleepWatch = {}): WorkKind {
  return {
    kind: SLEEP_KIND,
    run: async (job, context) => {
      watch.begun?.(job.submission);
      context.signal.addEventListener("abort", () => watch.stopped?.(context.signal.reason), { once: true });
      try {
        return await run(SleepPayload.parse(job.payload), context);
      } finally {
        watch.ended?.(job.submission);
      }
    },
  };
}
