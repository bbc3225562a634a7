import type { Clock } from "../../shared/clock.ts";
import type { SubmissionId } from "../../shared/ids.ts";
import { isFinal, type SubmissionSnapshot } from "../store/documents.ts";
import type { Store } from "../store/store.ts";
import { settle, type SettleDeps } from "./settle.ts";

export type CancelOutcome =
  | { readonly type: "cancelled"; readonly snapshot: SubmissionSnapshot }
  /** It had a final state before; nothing was changed. */
  | { readonly type: "final"; readonly snapshot: SubmissionSnapshot }
  | { readonly type: "unknown" };

export interface CancelDeps extends SettleDeps {
  readonly store: Pick<Store, "snapshots" | "judgements">;
  readonly clock: Clock;
}

/**
 * Ends a judgement without a verdict: guarded write first, then the job is removed and its holder told to stop.
 * Throws StoreUnavailable. Whether the caller may is checked before.
 */
export async function cancel(deps: CancelDeps, submission: SubmissionId): Promise<CancelOutcome> {
  for (;;) {
    const snapshot = await deps.store.snapshots.get(submission);
    if (snapshot === undefined) return { type: "unknown" };
    const { judgement } = snapshot;
    if (isFinal(judgement.state)) return { type: "final", snapshot };
    const now = new Date(deps.clock.now());
    const cancelled = {
      ...judgement,
      state: "CANCELLED" as const,
      finishedAt: now,
      updatedAt: now,
      change: judgement.change + 1,
    };
    if (await deps.store.judgements.replaceIfUnchanged(cancelled)) {
      await settle(deps, cancelled);
      return { type: "cancelled", snapshot: { ...snapshot, judgement: cancelled } };
    }
  }
}
