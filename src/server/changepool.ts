import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../shared/clock.ts";
import type { CodedError } from "../shared/errors.ts";
import { lanesOf, LaneWeights } from "../shared/lane.ts";
import { PoolName, SLOTS_MOST } from "../shared/pool.ts";
import type { ExecutorView } from "./fleet.ts";
import type { PoolChange, PoolSettingsDocument, PoolSettingsStore } from "./store/poolsettings.ts";

export interface ChangePoolDeps {
  readonly settings: PoolSettingsStore;
  readonly executors: () => readonly ExecutorView[];
  /** Tells them at once. */
  readonly poolChanged: (settings: PoolSettingsDocument) => void;
  readonly clock: Clock;
}

/** So long their own word is waited for; who is late follows by itself, milliseconds. */
const WAIT_MS = 2_000;
const LOOK_MS = 20;

const invalid = (message: string): CodedError => ({ code: "INPUT_INVALID", message });

/** Those that are not about to end. */
const staying = (executors: readonly ExecutorView[]): readonly ExecutorView[] =>
  executors.filter(({ state }) => state !== "draining");

export const executorsOf = (executors: readonly ExecutorView[], pool: string): readonly ExecutorView[] =>
  staying(executors).filter((one) => one.pool === pool);

/** Has it taken over these settings? */
export const hasHeard = (executor: ExecutorView, { change }: Pick<PoolSettingsDocument, "change">): boolean =>
  (executor.poolChange ?? -1) >= change;

/** What the executors of a pool could not follow, in words. */
function notPossible(live: readonly ExecutorView[], pool: string, to: PoolChange): string | undefined {
  const weights = LaneWeights.optional().safeParse(to.lanes ?? undefined);
  if (!weights.success)
    return `lanes: ${weights.error.issues.map((issue) => [...issue.path, issue.message].join(" ")).join("; ")}.`;
  const most = Math.min(SLOTS_MOST, ...live.map((one) => one.can?.slots ?? one.slots));
  if (typeof to.slots === "number" && (!Number.isInteger(to.slots) || to.slots < 1 || to.slots > most)) {
    const why = live.length > 0 ? " (mostSlots of its configuration)" : "";
    return `slots: an executor of ${pool} can have 1 to ${most}${why}.`;
  }
  const reserved = Math.max(0, ...live.map((one) => one.contestReserved ?? 0));
  const others = live.some((one) => one.lanes.some((lane) => lane !== "contest"));
  if (typeof to.slots === "number" && others && to.slots <= reserved)
    return `slots: ${reserved} of ${pool}'s slots are reserved for contests; give it more, or nothing else is served.`;
  const lanes = lanesOf(weights.data ?? {});
  const lacking = lanes.filter((lane) => live.some((one) => one.can?.lanes.includes(lane) === false));
  if (lacking.length > 0)
    return `lanes: ${pool} was started without ${lacking.join(", ")}; its users on the broker may not take them.`;
  return undefined;
}

/**
 * Changes a pool while it runs, for good: stored first, told to its executors then, and told again to each that starts.
 * Returns when all live ones have taken it over, or after two seconds. Throws StoreUnavailable.
 */
export async function changePool(
  deps: ChangePoolDeps,
  input: { readonly pool: string; readonly to: PoolChange; readonly by: string },
): Promise<PoolSettingsDocument | CodedError> {
  const { settings, clock } = deps;
  const pool = PoolName.safeParse(input.pool);
  const live = executorsOf(deps.executors(), input.pool);
  const known = live.length > 0 || (await settings.list()).some((one) => one._id === input.pool);
  if (!pool.success || !known) {
    const names = [...new Set(staying(deps.executors()).map((one) => one.pool))].toSorted();
    const there = names.length === 0 ? "no executor has been heard of" : `there are ${names.join(", ")}`;
    return invalid(`There is no pool ${JSON.stringify(input.pool.slice(0, 40))}; ${there}.`);
  }
  const wrong = notPossible(live, pool.data, input.to);
  if (wrong !== undefined) return invalid(wrong);
  const at = clock.now();
  const stored = await settings.change({ pool: pool.data, to: input.to, by: input.by, at: new Date(at) });
  deps.poolChanged(stored);
  while (clock.now() - at < WAIT_MS) {
    if (executorsOf(deps.executors(), pool.data).every((one) => hasHeard(one, stored))) break;
    await sleep(LOOK_MS);
  }
  return stored;
}
