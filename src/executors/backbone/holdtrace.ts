import type { Clock } from "../../shared/clock.ts";
import type { ExecutorId } from "../../shared/ids.ts";
import type { Job } from "../../shared/protocol.ts";
import { childOf, readTraceparent, type SpanContext, type Tracer } from "../../shared/trace.ts";
import type { Delivery } from "./delivery.ts";
import type { FinalReport, Interim } from "./reporter.ts";

/** The part of a judgement's trace that one holder tells: waiting in the queue, holding it, and each step of its work. */
export interface HoldTrace {
  /** What its events carry. */
  readonly context: SpanContext;
  /** A state was reached at `atMs`; what led to it began with the state before. */
  step(type: Interim, atMs: number): void;
  ended(report: FinalReport): void;
}

export function traceHold(
  deps: { readonly tracer: Tracer; readonly executor: ExecutorId; readonly clock: Clock },
  hold: {
    readonly job: Pick<Job, "kind" | "submission" | "generation">;
    readonly from: Pick<Delivery, "delivery" | "storedAtMs" | "traceparent">;
    readonly claimedAtMs: number;
  },
): HoldTrace {
  const { tracer } = deps;
  const { job, from, claimedAtMs } = hold;
  // A server without a collector sends none; the root is known all the same.
  const parent = readTraceparent(from.traceparent) ?? tracer.root(job);
  const context = childOf(parent);
  const attributes = {
    "docket.submission": job.submission,
    "docket.executor": deps.executor,
    "docket.delivery": from.delivery,
  };
  let sinceMs = claimedAtMs;
  let tests = 0;
  tracer.ended({
    name: "wait",
    context: childOf(parent),
    parent,
    kind: "internal",
    startMs: Math.min(from.storedAtMs, claimedAtMs),
    endMs: claimedAtMs,
    attributes,
  });
  return {
    context,
    step(type, atMs) {
      const name = type === "compiled" ? "compile" : `test ${++tests}`;
      tracer.ended({
        name,
        context: childOf(context),
        parent: context,
        kind: "internal",
        startMs: sinceMs,
        endMs: atMs,
      });
      sinceMs = atMs;
    },
    ended(report) {
      tracer.ended({
        name: "claim",
        context,
        parent,
        kind: "consumer",
        startMs: claimedAtMs,
        endMs: deps.clock.now(),
        attributes: { ...attributes, "docket.kind": job.kind, "docket.end": report.type },
        failed: report.type === "fault" ? `${report.fault.code}: ${report.fault.message}` : undefined,
      });
    },
  };
}
