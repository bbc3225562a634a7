import type { Clock } from "../../shared/clock.ts";
import type { SubmissionId } from "../../shared/ids.ts";
import type { SubmissionSnapshot } from "../store/documents.ts";
import type { Store } from "../store/store.ts";

export type DiscardOutcome =
  | { readonly type: "discarded"; readonly snapshot: SubmissionSnapshot }
  /** It has another state, or somebody redrives it. */
  | { readonly type: "not-dead"; readonly snapshot: SubmissionSnapshot }
  | { readonly type: "unknown" };

/**
 * Lays a dead letter aside: it stays FAILED and is listed no more. Of several at once the first one's name and reason
 * stay. Throws StoreUnavailable.
 */
export async function discard(
  deps: { readonly store: Pick<Store, "snapshots" | "deadLetters">; readonly clock: Clock },
  input: { readonly submission: SubmissionId; readonly by: string; readonly reason: string },
): Promise<DiscardOutcome> {
  const before = await deps.store.snapshots.get(input.submission);
  if (before === undefined) return { type: "unknown" };
  const { by, reason } = input;
  await deps.store.deadLetters.discard({
    id: before.judgement._id,
    by,
    reason,
    at: new Date(deps.clock.now()),
  });
  const snapshot = (await deps.store.snapshots.get(input.submission)) ?? before;
  const discarded = snapshot.judgement.deadLetter?.discarded !== undefined;
  return { type: discarded ? "discarded" : "not-dead", snapshot };
}
