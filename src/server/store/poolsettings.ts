import type { Collection } from "mongodb";
import type { PoolName, PoolSettings } from "../../shared/pool.ts";
import { guarded } from "./unavailable.ts";

/** What was changed of a pool while it runs; it stays so over restarts, of servers and executors. */
export interface PoolSettingsDocument extends PoolSettings {
  readonly _id: PoolName;
  readonly by: string;
  readonly at: Date;
}

/** Null: as the executors were started. Left out: as it is. */
export interface PoolChange {
  readonly slots?: PoolSettings["slots"] | null;
  readonly lanes?: PoolSettings["lanes"] | null;
  readonly hold?: PoolSettings["hold"] | null;
}

export interface PoolSettingsStore {
  list(): Promise<PoolSettingsDocument[]>;
  /**
   * Raises `change`, so of two changes the later one counts everywhere: at least to the time in milliseconds, so that it
   * does after the database was put back to an older state, too.
   */
  change(input: {
    readonly pool: PoolName;
    readonly to: PoolChange;
    readonly by: string;
    readonly at: Date;
  }): Promise<PoolSettingsDocument>;
}

export const createPoolSettings = (collection: Collection<PoolSettingsDocument>): PoolSettingsStore => ({
  list: () => guarded(() => collection.find().sort({ _id: 1 }).toArray()),
  change: ({ pool, to, by, at }) =>
    guarded(async () => {
      const set = Object.entries(to).filter(([, value]) => value !== null && value !== undefined);
      const unset = Object.entries(to).filter(([, value]) => value === null);
      const document = await collection.findOneAndUpdate(
        { _id: pool },
        [
          {
            $set: {
              ...Object.fromEntries(set.map(([key, value]) => [key, { $literal: value }])),
              by: { $literal: by },
              at,
              change: { $max: [{ $add: [{ $ifNull: ["$change", 0] }, 1] }, at.getTime()] },
            },
          },
          ...(unset.length === 0 ? [] : [{ $unset: unset.map(([key]) => key) }]),
        ],
        { upsert: true, returnDocument: "after" },
      );
      if (document === null) throw new Error(`the settings of pool ${pool} are not there after their upsert`);
      return document;
    }),
});
