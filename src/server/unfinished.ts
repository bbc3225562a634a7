import type { Clock } from "../shared/clock.ts";
import { keep } from "./kept.ts";
import type { Held, HeldCount } from "./store/held.ts";
import { heldIn } from "./store/held.ts";
import type { Judgements, StateCount } from "./store/judgements.ts";

/** What waits and runs, as it was counted a moment ago. */
export interface Unfinished {
  /** What is held in line, by owner; seconds old when much is held. Throws StoreUnavailable. */
  held(): Promise<readonly HeldCount[]>;
  /** Everything unfinished by language, lane and state. Throws StoreUnavailable. */
  counts(): Promise<readonly StateCount[]>;
}

const KEEP_MS = 2_000;

/** Counting what is held takes the longer the more it is, so it is never done for one request alone. */
export function createUnfinished(deps: {
  readonly held: Pick<Held, "counts">;
  readonly judgements: Pick<Judgements, "counts">;
  readonly clock: Clock;
}): Unfinished {
  const held = keep({ keepMs: KEEP_MS, read: () => deps.held.counts() });

  return {
    held,
    async counts() {
      const [out, inLine] = await Promise.all([deps.judgements.counts(new Date(deps.clock.now())), held()]);
      const counts = new Map(out.map((one) => [`${one.state} ${heldIn(one)}`, one]));
      for (const { language, lane, count, oldestAt } of inLine) {
        const key = `PENDING ${heldIn({ language, lane })}`;
        const before = counts.get(key);
        const oldest = Math.min(oldestAt.getTime(), before?.oldestAt.getTime() ?? Infinity);
        counts.set(key, {
          language,
          lane,
          state: "PENDING",
          count: count + (before?.count ?? 0),
          oldestAt: new Date(oldest),
        });
      }
      return [...counts.values()];
    },
  };
}
