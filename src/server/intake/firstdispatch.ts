import type { ProblemId } from "../../shared/ids.ts";
import type { JudgementDocument, SubmissionSnapshot } from "../store/documents.ts";
import { held, parked, type Place } from "../store/held.ts";
import { within } from "../../shared/within.ts";
import { type DispatchDeps, publishJob } from "./dispatch.ts";
import { traceSubmit } from "./judgementtrace.ts";
import { HOLD_MS } from "./outbox.ts";
import type { PublishDeps } from "./publishclaimed.ts";

/** The answer does not wait longer for the broker, milliseconds: past it the submission is just PENDING. */
const PUBLISH_WAIT_MS = 500;

export interface FirstDispatchDeps extends Pick<DispatchDeps, "link" | "window"> {
  /** Most jobs of one owner in each lane of this queue. */
  readonly mostOut: (queue: Place["language"]) => number;
  /** Nothing of it goes out just now. */
  readonly isPaused: (problem: ProblemId) => boolean;
}

/**
 * How a new judgement is stored: for the queue at once, or in line. The insert is then the first raise of `dispatch`:
 * no write more when it can be published at once. It is held for this request; when this process dies, the outbox of
 * any server publishes it. `unfinished`: what its owner has under way at most, this one included.
 */
export function firstDispatch(
  { link, window, mostOut, isPaused }: FirstDispatchDeps,
  {
    place,
    problem,
    unfinished,
    now,
  }: {
    readonly place: Place;
    /** Of judging. */
    readonly problem?: ProblemId;
    readonly unfinished: number;
    readonly now: number;
  },
): Pick<JudgementDocument, "held" | "dispatch" | "dispatchAfter"> {
  if (problem !== undefined && isPaused(problem)) return parked(problem);
  const room = window.room(place.language, place.lane) > 0;
  if (!room) window.setBehind(place.language, place.lane, true);
  const atOnce = room && link.connected() && !window.behind(place.language, place.lane);
  if (!atOnce || unfinished > mostOut(place.language)) return held(place);
  return { dispatch: 1, dispatchAfter: new Date(now + HOLD_MS) };
}

/** Publishes within the request what was stored for that, and wakes the line for the rest. Never throws. */
export async function sendFirst(
  deps: PublishDeps & { readonly wakeLine: () => void },
  { submission, judgement }: SubmissionSnapshot,
): Promise<void> {
  if (judgement.dispatch === 0) {
    deps.wakeLine();
    traceSubmit(deps, judgement);
    return;
  }
  // What fails or takes too long is the outbox's.
  const published = publishJob(deps, judgement, submission).then(
    () => deps.queued.mark(judgement),
    (error: unknown) => {
      deps.measures.dispatched.inc({ outcome: "failed" });
      deps.log.warn({ err: error, submission: submission._id }, "could not publish at once; the outbox will");
    },
  );
  await within(PUBLISH_WAIT_MS, published, () => undefined);
  traceSubmit(deps, judgement);
}
