import type { Clock } from "../../shared/clock.ts";
import { childOf, type Tracer } from "../../shared/trace.ts";
import type { JudgementDocument } from "../store/documents.ts";

/** What a server tells of a judgement's trace, publishing apart (dispatch.ts). */

/** Within the request: checked, stored, and published where there was room. */
export function traceSubmit(
  deps: { readonly tracer: Tracer; readonly clock: Clock },
  judgement: JudgementDocument,
): void {
  const parent = deps.tracer.root(judgement);
  deps.tracer.ended({
    name: "submit",
    context: childOf(parent),
    parent,
    kind: "server",
    startMs: judgement.createdAt.getTime(),
    endMs: deps.clock.now(),
  });
}

/** One write of what executors reported. */
export function traceRecord(
  deps: { readonly tracer: Tracer; readonly clock: Clock },
  input: { readonly judgement: JudgementDocument; readonly startMs: number; readonly events: number },
): void {
  const { judgement, startMs, events } = input;
  const parent = deps.tracer.root(judgement);
  deps.tracer.ended({
    name: "record",
    context: childOf(parent),
    parent,
    kind: "consumer",
    startMs,
    endMs: deps.clock.now(),
    attributes: { "docket.state": judgement.state, "docket.events": events },
  });
}

/** The root of all of it, when it has its final state. */
export function traceJudgement(tracer: Tracer, judgement: JudgementDocument): void {
  const { submission, generation, language, lane, state, deadLetter } = judgement;
  tracer.ended({
    name: "judgement",
    context: tracer.root(judgement),
    kind: "internal",
    startMs: judgement.createdAt.getTime(),
    endMs: (judgement.finishedAt ?? judgement.updatedAt).getTime(),
    attributes: {
      "docket.submission": submission,
      "docket.generation": generation,
      "docket.problem": judgement.problem,
      "docket.language": language,
      "docket.lane": lane,
      "docket.state": state,
    },
    failed: deadLetter === undefined ? undefined : `${deadLetter.code}: ${deadLetter.reason}`,
  });
}

/** Until somebody who waited for the final state was given it. */
export function traceDelivery(tracer: Tracer, judgement: JudgementDocument, at: Date): void {
  const parent = tracer.root(judgement);
  tracer.ended({
    name: "deliver",
    context: childOf(parent),
    parent,
    kind: "server",
    startMs: (judgement.finishedAt ?? judgement.updatedAt).getTime(),
    endMs: at.getTime(),
  });
}
