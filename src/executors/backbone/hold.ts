import type { z } from "zod";
import type { Clock } from "../../shared/clock.ts";
import type { CrashPoint } from "../../shared/crashpoint.ts";
import type { QueueId } from "../../shared/queue.ts";
import type { Log } from "../../shared/log.ts";
import { decodeJson } from "../../shared/nats.ts";
import { printable } from "../../shared/printable.ts";
import { Job } from "../../shared/protocol.ts";
import type { Board, StopReason } from "./board.ts";
import type { Connection } from "./connection.ts";
import type { Delivery } from "./delivery.ts";
import { fault, faultDelayMs } from "./faults.ts";
import type { AskFence } from "./fencecheck.ts";
import { type Lease, openLease } from "./lease.ts";
import type { ExecutorMetrics, JobEnd } from "./metrics.ts";
import type { FinalReport, Reporter } from "./reporter.ts";
import { type RunDeps, runJob } from "./run.ts";

export interface HoldDeps extends RunDeps {
  readonly connection: Connection;
  readonly board: Board;
  readonly clock: Clock;
  readonly metrics: ExecutorMetrics;
  readonly log: Log;
  readonly askFence: AskFence;
  readonly crash: CrashPoint;
  readonly reporter: (job: Envelope, delivery: Delivery, lease: Lease, log: Log) => Reporter;
}

/** What must be readable of a job to report anything about it. */
const Envelope = Job.pick({
  kind: true,
  submission: true,
  generation: true,
  dispatch: true,
  capability: true,
});
export type Envelope = z.infer<typeof Envelope>;

/** One job in hand. */
interface Holding {
  readonly delivery: Delivery;
  readonly slot: number;
  readonly lease: Lease;
  readonly stop: AbortController;
}

/**
 * Holds one delivered job in `slot` from its delivery until it is acknowledged, given back, or lost. Never throws;
 * resolves when the slot is free again. A crash at any point leaves the job with JetStream, which delivers it again.
 */
export async function holdJob(
  deps: HoldDeps,
  delivery: Delivery,
  language: QueueId,
  slot: number,
): Promise<void> {
  const lease = openLease(deps, delivery);
  const stop = new AbortController();
  lease.lost.addEventListener("abort", () => stop.abort("lease-lost" satisfies StopReason), { once: true });
  const receivedMs = deps.monotonic();
  let end: JobEnd = "lease_lost";
  try {
    end = await hold(deps, { delivery, slot, lease, stop });
  } catch (error) {
    // The lease runs out and the job comes again, here or elsewhere.
    deps.log.error({ err: error, reply: delivery.reply }, "holding a job failed");
  } finally {
    lease.end();
    deps.board.remove(slot);
    deps.metrics.jobs.inc({ end, language });
    deps.metrics.jobSeconds.observe({ language }, (deps.monotonic() - receivedMs) / 1_000);
  }
}

async function hold(deps: HoldDeps, holding: Holding): Promise<JobEnd> {
  const { delivery, slot, lease, stop } = holding;
  const job = decodeJson(Job, delivery.data);
  if (job === undefined) return await refuseMalformed(deps, holding);

  const log = deps.log.child({
    submission: job.submission,
    generation: job.generation,
    dispatch: job.dispatch,
    delivery: delivery.delivery,
  });
  deps.crash("hold.afterDelivery");
  deps.board.put(slot, {
    submission: job.submission,
    generation: job.generation,
    language: job.language,
    sinceMs: deps.clock.now(),
    heartbeatAgeMs: () => lease.ageMs(),
    stop: (reason) => stop.abort(reason),
  });

  const fence = { generation: job.generation, dispatch: job.dispatch, delivery: delivery.delivery };
  const current = deps.askFence(job.submission, fence);
  // What was out before may be done, or may be what its holders died of: nothing of it is begun before the answer. A job
  // that nobody has had yet is hardly ever stale and begins meanwhile; nobody hears of it before the answer.
  const isNew = job.dispatch === 1 && delivery.delivery === 1;
  if (!isNew && !(await current)) return await drop(holding, log);
  if (stop.signal.aborted) return await settle(deps, holding, undefined, { type: "released" }, log);

  const reporter = deps.reporter(job, delivery, lease, log);
  try {
    void current.then((isCurrent) =>
      isCurrent ? reporter.started() : stop.abort("stale" satisfies StopReason),
    );
    const ran = await runJob(deps, { job, slot, stop: stop.signal, reporter, log });
    if (!(await current)) {
      const end = await drop(holding, log);
      await ran.ended;
      return end;
    }
    const report: FinalReport = ran.outcome.type === "stopped" ? { type: "released" } : ran.outcome;
    const end = await settle(deps, holding, reporter, report, log);
    lease.end();
    await ran.ended;
    return end;
  } finally {
    reporter.close();
  }
}

/** The job is done, cancelled or in newer hands. */
async function drop({ lease }: Holding, log: Log): Promise<JobEnd> {
  log.info("not current any more; dropped");
  return await ended(lease.ack(), "stale");
}

const ended = async (confirmed: Promise<boolean>, end: JobEnd): Promise<JobEnd> =>
  (await confirmed) ? end : "lease_lost";

/** How long a draining executor tries to get its last event stored, milliseconds. */
const LAST_WORD_MS = 1_000;

/**
 * The last event, then the acknowledgement that fits it, in this order: a crash between them repeats, never loses.
 * Without a reporter there was no start to take back.
 */
async function settle(
  deps: HoldDeps,
  { delivery, lease, stop }: Holding,
  reporter: Reporter | undefined,
  report: FinalReport,
  log: Log,
): Promise<JobEnd> {
  if (stop.signal.reason === "cancelled") {
    log.info("cancelled");
    return await ended(lease.ack(), "cancelled");
  }
  // When the executor drains meanwhile, a result that cannot be stored now is given up and the job goes back.
  const giveUp = stop.signal.aborted ? AbortSignal.timeout(LAST_WORD_MS) : stop.signal;
  deps.crash("hold.beforeFinal");
  const stored = (await reporter?.final(report, giveUp)) ?? false;
  if (stored) deps.crash("hold.afterFinal");
  if (!stored && stop.signal.reason === "cancelled") return await ended(lease.ack(), "cancelled");
  if (!stored || report.type === "released") return await ended(lease.nak(0), "released");
  if (report.type === "finished") return await ended(lease.ackStored(), "finished");
  deps.metrics.faults.inc({ code: report.fault.code });
  log.warn({ fault: report.fault }, "fault reported");
  return await ended(report.fault.retry ? lease.nak(faultDelayMs(delivery.delivery)) : lease.ack(), "fault");
}

const EXCERPT_CHARACTERS = 200;

/**
 * A job that does not fit its schema. When its envelope can be read, the server hears of it as of any fault;
 * otherwise it is taken out of the queue with a reason, so that it cannot go round for ever.
 */
async function refuseMalformed(deps: HoldDeps, holding: Holding): Promise<JobEnd> {
  const { delivery, lease } = holding;
  const envelope = decodeJson(Envelope, delivery.data);
  deps.log.error({ reply: delivery.reply, submission: envelope?.submission }, "malformed job");
  if (envelope === undefined) {
    // The broker tells the server of it, in these words.
    const words = `JOB_MALFORMED: ${printable(delivery.data, EXCERPT_CHARACTERS)}`;
    return (await lease.terminate(words)) ? "malformed" : "lease_lost";
  }
  const reporter = deps.reporter(envelope, delivery, lease, deps.log);
  const malformed = fault("JOB_MALFORMED", "The job does not fit the schema of this executor's version.");
  return await settle(deps, holding, reporter, { type: "fault", fault: malformed }, deps.log);
}
