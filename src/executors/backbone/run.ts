import type { Log } from "../../shared/log.ts";
import type { Fault, Job } from "../../shared/protocol.ts";
import { unlessAborted } from "../../shared/unlessaborted.ts";
import { nextChange, pause } from "./change.ts";
import { fault, faultOfThrown } from "./faults.ts";
import type { Health } from "./health.ts";
import type { Offer } from "./offer.ts";
import type { Reporter } from "./reporter.ts";
import type { BlobSource, LentSlot, Outcome, WorkKind } from "../work.ts";

export interface RunDeps {
  readonly kinds: readonly WorkKind[];
  readonly offer: Offer;
  readonly health: Health;
  readonly blobs: (capability: string, signal: AbortSignal) => BlobSource;
  readonly monotonic: () => number;
  /** Resolves once the job's slot, if it was lent to another, is its own. */
  readonly ready: (slot: number) => Promise<void>;
  readonly lendSlot: () => LentSlot | undefined;
  /** Ends the process, in order: what it is for cannot be done any more. */
  readonly fail: (error: Error) => void;
}

export interface RunInput {
  readonly job: Job;
  readonly slot: number;
  /** Aborted with a StopReason. */
  readonly stop: AbortSignal;
  readonly reporter: Reporter;
  readonly log: Log;
}

export interface Ran {
  readonly outcome: Outcome;
  /** Resolves when the work has really ended: until then its slot is not free. */
  readonly ended: Promise<unknown>;
}

/** How long a job waits under heartbeat for a shared part to come back before it is given back, milliseconds. */
export const SHARED_WAIT_MS = 20_000;
const SHARED_RETRY_MS = [200, 500, 1_000, 2_000, 4_000] as const;
/** How long work that was told to stop may take before the executor is taken for broken, milliseconds. */
const STOP_WAIT_MS = 5_000;
/** How much longer until the process ends, so that a new one begins with free slots. */
const STUCK_MS = 10_000;
/** setTimeout's own bound. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Runs a job to an outcome that can be reported. A fault of a part that all jobs share (blob store, disk) is waited
 * out for a while first: an outage of seconds then costs nothing at all.
 */
export async function runJob(deps: RunDeps, input: RunInput): Promise<Ran> {
  const { job, stop, log } = input;
  const kind = deps.kinds.find((one) => one.kind === job.kind);
  if (kind === undefined) {
    return failed(fault("JOB_MALFORMED", `This executor has no kind of work "${job.kind}".`));
  }
  if (!deps.offer.has(job.language)) {
    // It was taken out while the job was on its way: the job is not to blame.
    const message = `This executor does not offer ${job.language} any more.`;
    return failed({ ...fault("LANGUAGE_NOT_OFFERED", message), shared: true });
  }
  const patienceEndsMs = deps.monotonic() + SHARED_WAIT_MS;
  for (let attempt = 0; ; attempt++) {
    const ran = await runOnce(deps, input, kind);
    const { outcome } = ran;
    if (outcome.type === "finished") deps.offer.note(job.language, undefined, job.submission);
    if (outcome.type !== "fault") return ran;
    deps.offer.note(job.language, outcome.fault.code, job.submission);
    if (!outcome.fault.shared || stop.aborted) return ran;

    noteShared(deps.health, outcome.fault);
    log.warn({ fault: outcome.fault }, "a shared part is out; the job waits");
    await pause(SHARED_RETRY_MS[Math.min(attempt, SHARED_RETRY_MS.length - 1)] ?? 0, stop);
    while (deps.health.reason() !== undefined && !stop.aborted && deps.monotonic() < patienceEndsMs) {
      await nextChange(deps.health.change, patienceEndsMs - deps.monotonic(), stop);
    }
    if (stop.aborted) return { ...ran, outcome: { type: "stopped" } };
    if (deps.monotonic() >= patienceEndsMs) return ran;
  }
}

const failed = (why: Fault): Ran => ({ outcome: { type: "fault", fault: why }, ended: Promise.resolve() });

function noteShared(health: Health, shared: Fault): void {
  // The probes take these away again.
  if (shared.code === "BLOB_UNAVAILABLE") health.set("blobs", shared.message);
  if (shared.code === "DISK_FULL") health.set("disk", shared.message);
}

async function runOnce(deps: RunDeps, input: RunInput, kind: WorkKind): Promise<Ran> {
  const { job, slot, stop, reporter, log } = input;
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), Math.min(job.deadlineMs, LONGEST_TIMER_MS));
  const signal = AbortSignal.any([stop, deadline.signal]);
  const ready = deps.ready(slot);
  const work = attemptWork(async () => {
    // What is in the slot yet is another job's: this one, when it is stopped, ends without waiting for it.
    await unlessAborted(ready, signal);
    return await kind.run(job, {
      slot,
      lendSlot: deps.lendSlot,
      signal,
      blobs: deps.blobs(job.capability, signal),
      log,
      report: (type, result) => reporter.report(type, result),
    });
  });
  const outcome = await Promise.race([work, stuck(signal)]);
  clearTimeout(timer);
  if (outcome === "stuck") {
    const reason = `the work in slot ${slot} does not stop`;
    deps.health.set("slots", reason);
    const giveUp = setTimeout(() => deps.fail(new Error(reason)), STUCK_MS);
    void work.then(() => {
      clearTimeout(giveUp);
      deps.health.set("slots", undefined);
      return undefined;
    });
  }
  const ended = Promise.allSettled([ready, work]);
  if (outcome !== "stuck" && "type" in outcome && outcome.type !== "stopped") return { outcome, ended };
  if (stop.aborted) return { outcome: { type: "stopped" }, ended };
  if (deadline.signal.aborted) {
    const message = `Not done within the job's deadline of ${job.deadlineMs} ms.`;
    return { outcome: { type: "fault", fault: fault("DEADLINE_EXCEEDED", message) }, ended };
  }
  const thrown =
    outcome !== "stuck" && "thrown" in outcome ? outcome.thrown : "stopped without being told to";
  log.error({ err: thrown }, "the kind of work failed");
  return { outcome: { type: "fault", fault: faultOfThrown(thrown) }, ended };
}

/** A throw as a value: what it means depends on why the work was stopped. */
async function attemptWork(work: () => Promise<Outcome>): Promise<Outcome | { readonly thrown: unknown }> {
  try {
    return await work();
  } catch (error) {
    return { thrown: error };
  }
}

/** Resolves when the work was told to stop and did not within STOP_WAIT_MS. */
function stuck(signal: AbortSignal): Promise<"stuck"> {
  return new Promise((resolve) => {
    const wait = (): void => void setTimeout(() => resolve("stuck"), STOP_WAIT_MS).unref();
    if (signal.aborted) wait();
    else signal.addEventListener("abort", wait, { once: true });
  });
}
