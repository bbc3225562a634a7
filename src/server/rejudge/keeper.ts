import type { RejudgeId } from "../../shared/ids.ts";
import { type Repeat, repeat } from "../../shared/repeat.ts";
import type { Log } from "../../shared/log.ts";
import { cancelled } from "../results/cancel.ts";
import { settle, type SettleDeps } from "../results/settle.ts";
import type { RejudgeDocument } from "../store/rejudges.ts";
import type { Leases } from "../store/leases.ts";
import { type ApplyDeps, applyNow } from "./apply.ts";
import { selectBatch, type SelectDeps } from "./select.ts";

export interface KeeperDeps extends SelectDeps, SettleDeps, ApplyDeps {
  readonly store: SelectDeps["store"] & ApplyDeps["store"];
  readonly leases: Leases;
  readonly instance: string;
  readonly log: Log;
}

const INTERVAL_MS = 500;
const LEASE = "rejudge";
const LEASE_MS = 3_000;
/** Whoever was asked to apply one has so long before it is taken for dead, milliseconds. */
const OTHERS_MS = 3_000;
const CANCEL_BATCH = 100;
/**
 * A closed rejudge is looked at for so long, milliseconds: a server that was cut off in the middle of selecting may
 * have taken in one more batch.
 */
const AFTER_MS = 120_000;

/** Ends what is still judged for it, and lets go of its submissions. Repeatable. */
async function clear(deps: KeeperDeps, id: RejudgeId): Promise<void> {
  for (;;) {
    const batch = await deps.store.rejudged.unfinished(id, CANCEL_BATCH);
    if (batch.length === 0) break;
    const now = new Date(deps.clock.now());
    await Promise.all(
      batch.map(async (judgement) => {
        const next = cancelled(judgement, now);
        // It may have moved on: the next look finds it again.
        if (await deps.store.judgements.replaceIfUnchanged(next)) await settle(deps, next);
      }),
    );
  }
  await deps.store.rejudged.release(id);
}

/**
 * Brings every rejudge a step further: selects in batches, sees that all is judged, applies, cancels. One server at a
 * time, by a lease; every step is guarded, so two at once do no harm either.
 */
export function createRejudgeKeeper(deps: KeeperDeps): Repeat {
  const { rejudges, rejudged } = deps.store;
  const hold = async (): Promise<boolean> =>
    (await deps.leases.acquire({ name: LEASE, holder: deps.instance, ttlMs: LEASE_MS })) !== undefined;

  async function select(rejudge: RejudgeDocument, signal: AbortSignal): Promise<void> {
    let next: RejudgeDocument | undefined = rejudge;
    while (next?.state === "SELECTING" && !signal.aborted && (await hold()))
      next = await selectBatch(deps, next);
  }

  async function look(rejudge: RejudgeDocument): Promise<void> {
    const { _id: id, autoApply, by } = rejudge;
    if (await rejudged.anyUnfinished(id)) return;
    const at = new Date(deps.clock.now());
    const set = autoApply
      ? ({ state: "APPLYING", apply: { by, at } } as const)
      : ({ state: "READY" } as const);
    const moved = await rejudges.move({ id, from: ["JUDGING"], set });
    deps.log.info({ rejudge: id }, "rejudge: all is judged");
    if (moved?.state === "APPLYING") await applyNow(deps, id);
  }

  async function goOn({ _id, apply }: RejudgeDocument): Promise<void> {
    const since = apply?.at.getTime() ?? 0;
    if (deps.clock.now() - since >= OTHERS_MS) await applyNow(deps, _id);
  }

  async function cancel({ _id: id }: RejudgeDocument): Promise<void> {
    await clear(deps, id);
    const closedAt = new Date(deps.clock.now());
    await rejudges.move({ id, from: ["CANCELLING"], set: { state: "CANCELLED", closedAt } });
  }

  const steps: Readonly<Partial<Record<RejudgeDocument["state"], typeof select>>> = {
    SELECTING: select,
    JUDGING: look,
    APPLYING: goOn,
    CANCELLING: cancel,
    APPLIED: ({ _id }) => clear(deps, _id),
    CANCELLED: ({ _id }) => clear(deps, _id),
  };

  const loop = repeat({
    name: "rejudge",
    intervalMs: INTERVAL_MS,
    log: deps.log,
    async act(signal) {
      const active = await rejudges.active(new Date(deps.clock.now() - AFTER_MS));
      for (const rejudge of active) {
        if (signal.aborted || !(await hold())) return;
        try {
          await steps[rejudge.state]?.(rejudge, signal);
        } catch (error) {
          // One that fails must not hold up the others.
          deps.log.error({ err: error, rejudge: rejudge._id }, "a rejudge does not go on; trying again");
        }
      }
    },
  });
  return {
    ...loop,
    async stop() {
      await loop.stop();
      await deps.leases.release({ name: LEASE, holder: deps.instance }).catch(() => undefined);
    },
  };
}
