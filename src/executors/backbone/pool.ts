import { type LaneWeights, lanesOf } from "../../shared/lane.ts";
import type { Log } from "../../shared/log.ts";
import type { PoolSettings, PoolSetup } from "../../shared/pool.ts";
import { type Change, createChange } from "./change.ts";

/** This executor's pool as it is now: as it was started, and what was changed since. */
export interface Pool {
  /** As it was started. */
  readonly setup: Pick<PoolSetup, "pool" | "lanes" | "mostSlots">;
  lanes(): LaneWeights;
  slots(): number;
  contestReserved(): number;
  hold(): PoolSettings["hold"];
  /** Newest change that it was told of; undefined: no server has told it anything yet. */
  told(): number | undefined;
  /** Takes over what a server tells. An older word than one heard already does nothing. */
  apply(settings: PoolSettings): void;
  readonly change: Change;
}

export function createPool(deps: {
  readonly setup: Pick<PoolSetup, "pool" | "lanes" | "slots" | "mostSlots" | "contestReserved">;
  readonly log: Log;
}): Pool {
  const { setup, log } = deps;
  const change = createChange();
  let now: PoolSettings | undefined;
  const slots = (): number => Math.min(now?.slots ?? setup.slots, setup.mostSlots);
  return {
    setup,
    change,
    slots,
    lanes: () => {
      const given = now?.lanes;
      if (given === undefined) return setup.lanes;
      // Only its own lanes may be pulled by its user on the broker.
      const own = lanesOf(given).filter((lane) => setup.lanes[lane] !== undefined);
      // Meant for others, e.g. those of before a new configuration: one that takes nothing would not be heard of again.
      if (own.length === 0) return setup.lanes;
      return Object.fromEntries(own.map((lane) => [lane, given[lane]]));
    },
    contestReserved: () => Math.min(setup.contestReserved, slots()),
    hold: () => now?.hold,
    told: () => now?.change,
    apply: (settings) => {
      if (now !== undefined && settings.change <= now.change) return;
      now = settings;
      if (settings.change > 0) log.warn({ settings }, "the pool was changed");
      change.notify();
    },
  };
}
