import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import { isFinal, type JudgementDocument } from "../store/documents.ts";
import type { Store } from "../store/store.ts";
import { type DispatchDeps, publishJob } from "./dispatch.ts";
import { HOLD_MS } from "./outbox.ts";
import type { QueuedMarker } from "./queued.ts";

export interface RedispatchDeps extends DispatchDeps {
  readonly store: Pick<Store, "judgements" | "submissions">;
  readonly queued: QueuedMarker;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Publishes the job of an unfinished judgement anew, under the next dispatch: from now on the word of every older
 * holder is void. Guarded by `change`: false when the judgement has moved on since it was read. When the publish
 * fails after the raise, the judgement is PENDING and the outbox's. Throws StoreUnavailable.
 */
export async function redispatch(deps: RedispatchDeps, judgement: JudgementDocument): Promise<boolean> {
  if (isFinal(judgement.state)) return false;
  const submission = await deps.store.submissions.get(judgement.submission);
  if (submission === undefined) return false;
  const now = deps.clock.now();
  const { result: _, claim: __, ...rest } = judgement;
  const raised: JudgementDocument = {
    ...rest,
    state: "PENDING",
    dispatch: judgement.dispatch + 1,
    delivery: 0,
    seq: 0,
    dispatchAfter: new Date(now + HOLD_MS),
    updatedAt: new Date(now),
    change: judgement.change + 1,
  };
  if (!(await deps.store.judgements.replaceIfUnchanged(raised))) return false;
  deps.crash("dispatch.afterRaise");
  try {
    await publishJob(deps, raised, submission);
    deps.queued.mark(raised);
  } catch (error) {
    deps.measures.dispatched.inc({ outcome: "failed" });
    deps.log.warn(
      { err: error, submission: submission._id },
      "could not publish the job again; it stays pending",
    );
  }
  return true;
}
