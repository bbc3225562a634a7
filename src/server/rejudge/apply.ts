import type { Clock } from "../../shared/clock.ts";
import type { CrashPoint } from "../../shared/crashpoint.ts";
import type { RejudgeId } from "../../shared/ids.ts";
import type { Log } from "../../shared/log.ts";
import type { Topology } from "../../shared/topology.ts";
import { announce } from "../broker/announce.ts";
import type { Link } from "../broker/link.ts";
import { revisionOf } from "../store/documents.ts";
import type { RejudgeDocument } from "../store/rejudges.ts";
import type { Store } from "../store/store.ts";

export interface ApplyDeps {
  readonly store: Pick<Store, "rejudges" | "rejudged">;
  readonly link: Link;
  readonly topology: Topology;
  readonly clock: Clock;
  readonly crash: CrashPoint;
  readonly log: Log;
}

export type RejudgeOutcome =
  | { readonly type: "done"; readonly rejudge: RejudgeDocument }
  /** Not all is judged yet. */
  | { readonly type: "not-ready"; readonly rejudge: RejudgeDocument }
  /** It was closed the other way before. */
  | { readonly type: "closed"; readonly rejudge: RejudgeDocument }
  | { readonly type: "unknown" };

/** Applies an APPLYING one; then every subscriber is told. Safe to repeat and to run anywhere at once. */
export async function applyNow(deps: ApplyDeps, id: RejudgeId): Promise<void> {
  const applied = await deps.store.rejudged.apply({ id, at: new Date(deps.clock.now()), crash: deps.crash });
  if (applied === undefined) return;
  deps.crash("rejudge.afterCommit");
  const { by, moved, superseded, kept } = applied.rejudge.apply ?? {};
  deps.log.info({ rejudge: id, by, moved, superseded, kept }, "rejudge applied");
  // Whoever does not hear it finds it at the next look, as with every announcement.
  for (const one of applied.moved) announce(deps, one.submission, { revision: revisionOf(one), final: true });
}

/**
 * Makes what a READY rejudge has judged count. First who wants it, then all of it in one transaction: what a crash
 * leaves APPLYING, any server finishes. Repeatable. Throws StoreUnavailable.
 */
export async function applyRejudge(
  deps: ApplyDeps,
  input: { readonly id: RejudgeId; readonly by: string },
): Promise<RejudgeOutcome> {
  const { rejudges } = deps.store;
  const at = new Date(deps.clock.now());
  const set = { state: "APPLYING", apply: { by: input.by, at } } as const;
  await rejudges.move({ id: input.id, from: ["READY"], set });
  deps.crash("rejudge.afterMark");
  await applyNow(deps, input.id);
  const rejudge = await rejudges.get(input.id);
  if (rejudge === undefined) return { type: "unknown" };
  if (rejudge.state === "APPLIED" || rejudge.state === "APPLYING") return { type: "done", rejudge };
  return {
    type: rejudge.state === "SELECTING" || rejudge.state === "JUDGING" ? "not-ready" : "closed",
    rejudge,
  };
}

/** Drops a rejudge that was not applied: what is still judged for it is stopped. Repeatable. Throws StoreUnavailable. */
export async function cancelRejudge(
  deps: Pick<ApplyDeps, "store" | "clock" | "log"> & { readonly wake: () => void },
  input: { readonly id: RejudgeId; readonly by: string },
): Promise<RejudgeOutcome> {
  const { rejudges } = deps.store;
  const { id, by } = input;
  const cancel = { by, at: new Date(deps.clock.now()) };
  const from = ["SELECTING", "JUDGING", "READY"] as const;
  const moved = await rejudges.move({ id, from, set: { state: "CANCELLING", cancel } });
  if (moved !== undefined) deps.log.info({ rejudge: id, by }, "rejudge cancelled");
  deps.wake();
  const rejudge = moved ?? (await rejudges.get(id));
  if (rejudge === undefined) return { type: "unknown" };
  return { type: rejudge.cancel === undefined ? "closed" : "done", rejudge };
}
