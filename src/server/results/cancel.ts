import type { Clock } from "../../shared/clock.ts";
import type { SubmissionId } from "../../shared/ids.ts";
import { isFinal, type JudgementDocument, type SubmissionSnapshot } from "../store/documents.ts";
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

/** The judgement, ended without a verdict: not yet stored. */
export const cancelled = (judgement: JudgementDocument, now: Date): JudgementDocument => ({
  ...judgement,
  state: "CANCELLED",
  finishedAt: now,
  updatedAt: now,
  change: judgement.change + 1,
});

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
    const next = cancelled(judgement, new Date(deps.clock.now()));
    if (await deps.store.judgements.replaceIfUnchanged(next)) {
      await settle(deps, next);
      return { type: "cancelled", snapshot: { ...snapshot, judgement: next } };
    }
  }
}
