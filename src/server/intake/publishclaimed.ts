import type { JudgementDocument, SubmissionDocument } from "../store/documents.ts";
import type { Store } from "../store/store.ts";
import type { Log } from "../../shared/log.ts";
import { type DispatchDeps, publishJob } from "./dispatch.ts";
import { pointTo } from "./pointto.ts";
import type { QueuedMarker } from "./queued.ts";

export interface PublishDeps extends DispatchDeps {
  readonly store: Pick<Store, "submissions">;
  readonly queued: QueuedMarker;
  readonly log: Log;
  /** Makes missing streams and consumers. */
  readonly mend: () => Promise<void>;
}

/** Publishes judgements that this server has claimed; those that fail stay PENDING and are the outbox's. */
export async function publishClaimed(
  deps: PublishDeps,
  claimed: readonly { readonly judgement: JudgementDocument; readonly submission: SubmissionDocument }[],
): Promise<void> {
  const published = await Promise.all(
    claimed.map(async ({ judgement, submission }) => {
      try {
        await publishJob(deps, judgement, await pointTo(deps.store.submissions, submission, judgement));
        deps.queued.mark(judgement);
        return true;
      } catch (error) {
        deps.measures.dispatched.inc({ outcome: "failed" });
        deps.log.warn(
          { err: error, submission: judgement.submission },
          "could not publish the job; it stays pending",
        );
        return false;
      }
    }),
  );
  // A stream may be missing: nobody answers a publish to it.
  if (published.includes(false) && deps.link.connected()) await deps.mend();
}
