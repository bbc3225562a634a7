import { eventMessageId, subjects, type Topology } from "../../shared/topology.ts";
import { type Fault, type Job, type JudgeEvent, PROTOCOL_VERSION } from "../../shared/protocol.ts";
import type { Clock } from "../../shared/clock.ts";
import type { ExecutorId } from "../../shared/ids.ts";
import { encodeJson } from "../../shared/nats.ts";
import type { Log } from "../../shared/log.ts";
import type { Tracer } from "../../shared/trace.ts";
import { pause } from "./change.ts";
import type { Delivery } from "./delivery.ts";
import type { EventSink, Sent } from "./eventsink.ts";
import { boundedFault } from "./faults.ts";
import { fitEvent } from "./fit.ts";
import { traceHold } from "./holdtrace.ts";
import type { Lease } from "./lease.ts";

export type Interim = "compiled" | "progress";

export type FinalReport =
  | { readonly type: "finished"; readonly result: unknown }
  | { readonly type: "fault"; readonly fault: Fault }
  | { readonly type: "released" };

/** The events of one lease, in order, each with a `seq` of its own. */
export interface Reporter {
  /** Events may be sent from now on; says that the job runs, when that lasts. */
  started(): void;
  /** Keeps only the newest state not yet sent: events are cumulative. */
  report(type: Interim, result: unknown): void;
  /** Sends the last event until it is stored. False when the lease was lost or `giveUp` aborted before. */
  final(report: FinalReport, giveUp: AbortSignal): Promise<boolean>;
  /** Sends no further interim event. */
  close(): void;
}

interface ReporterDeps {
  readonly topology: Topology;
  readonly executor: ExecutorId;
  readonly sink: EventSink;
  readonly clock: Clock;
  readonly tracer: Tracer;
  readonly log: Log;
  /** Told when the event stream takes nothing, and again when this reporter no longer waits for it. */
  readonly onBlocked: (blocked: boolean) => void;
}

const TOO_LARGE: Fault = {
  code: "INTERNAL",
  message: "The result does not fit into an event, even with its texts cut.",
  retry: false,
  shared: false,
};

/**
 * What ends sooner at its first holder needs no event of its own for its start: the last one says it all, milliseconds.
 * Of what was held before, each start counts.
 */
const QUICK_MS = 5;
/** At most 5 progress events a second. */
const PROGRESS_INTERVAL_MS = 200;
/** Times of reported states that the last event carries; of more it has the first ones. */
const STEPS_KEPT = 2_000;
const RETRY_MS = [100, 200, 400, 800] as const;

export function createReporter(
  deps: ReporterDeps,
  job: Pick<Job, "kind" | "submission" | "generation" | "dispatch" | "capability">,
  from: Pick<Delivery, "delivery" | "storedAtMs" | "traceparent">,
  lease: Lease,
): Reporter {
  const { delivery } = from;
  // By the broker's clock.
  const publishedAtMs = Math.round(from.storedAtMs);
  const claimedAtMs = deps.clock.now();
  const trace = traceHold(deps, { job, from, claimedAtMs });
  const stepsAtMs: number[] = [];
  const closed = new AbortController();
  const subject = subjects.event(deps.topology, deps.executor, job.submission);
  // A broker that crashed may count deliveries from an older state and give two holders one fence, one after the
  // other. Numbers from the clock keep the later one's events later, and their ids apart.
  let seq = deps.clock.now();
  let waiting: { type: Interim; result: unknown } | { type: "started" } | undefined;
  let sending = false;
  let open = false;
  let starting: NodeJS.Timeout | undefined;
  let blocked = false;

  const noteBlocked = (now: boolean): void => {
    if (now === blocked) return;
    blocked = now;
    deps.onBlocked(now);
  };

  const base = (): Omit<Extract<JudgeEvent, { type: "started" }>, "type"> => ({
    v: PROTOCOL_VERSION,
    kind: job.kind,
    submission: job.submission,
    generation: job.generation,
    dispatch: job.dispatch,
    delivery,
    executor: deps.executor,
    seq: ++seq,
    atMs: deps.clock.now(),
    capability: job.capability,
  });

  /** The same id each time, so that a repeated publish is one event. */
  const sendUntilStored = async (
    event: JudgeEvent,
    bytes: Uint8Array,
    stop: AbortSignal,
  ): Promise<boolean> => {
    const id = eventMessageId(event.submission, event, event.seq);
    for (let attempt = 0; !stop.aborted && lease.alive(); attempt++) {
      const sent: Sent = await deps.sink.send(subject, bytes, id, trace.context);
      // One answer may get lost; a second one points to the stream.
      noteBlocked(sent === "refused" || (sent === "unanswered" && attempt > 0));
      if (sent === "stored") return true;
      await pause(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)] ?? 0, AbortSignal.any([stop, lease.lost]));
    }
    noteBlocked(false);
    return false;
  };

  const drain = async (): Promise<void> => {
    if (sending || !open) return;
    sending = true;
    while (waiting !== undefined && !closed.signal.aborted && lease.alive()) {
      const next = waiting;
      waiting = undefined;
      const event: JudgeEvent = { ...base(), ...next };
      const bytes = fitEvent(event, deps.sink.maxBytes());
      // Too large even when cut: the final event decides, progress may be missing.
      if (bytes !== undefined) await sendUntilStored(event, bytes, closed.signal);
      if (next.type === "progress") await pause(PROGRESS_INTERVAL_MS, closed.signal);
    }
    sending = false;
  };

  const put = (next: NonNullable<typeof waiting>): void => {
    if (closed.signal.aborted) return;
    waiting = next;
    void drain();
  };

  /** Before what is waiting. */
  const sayStarted = (): void => {
    clearTimeout(starting);
    starting = undefined;
    const next = waiting;
    put({ type: "started" });
    if (next !== undefined) put(next);
  };

  return {
    started: () => {
      open = true;
      if (delivery > 1 || waiting !== undefined) sayStarted();
      else if (!closed.signal.aborted) starting = setTimeout(sayStarted, QUICK_MS);
    },
    report: (type, result) => {
      const atMs = deps.clock.now();
      if (stepsAtMs.length < STEPS_KEPT) stepsAtMs.push(atMs);
      trace.step(type, atMs);
      if (starting !== undefined) sayStarted();
      put({ type, result });
    },
    final: async (report, giveUp) => {
      clearTimeout(starting);
      closed.abort("closed");
      trace.ended(report);
      const event: JudgeEvent = {
        ...base(),
        ...(report.type === "fault" ? { ...report, fault: boundedFault(report.fault) } : report),
        ...(report.type === "finished" ? { times: { publishedAtMs, claimedAtMs, stepsAtMs } } : {}),
      };
      const bytes = fitEvent(event, deps.sink.maxBytes());
      if (bytes !== undefined) return await sendUntilStored(event, bytes, giveUp);
      deps.log.error("the result does not fit into an event; reported as a fault");
      const instead: JudgeEvent = { ...base(), type: "fault", fault: TOO_LARGE };
      return await sendUntilStored(instead, encodeJson(instead), giveUp);
    },
    close: () => {
      clearTimeout(starting);
      closed.abort("closed");
    },
  };
}
