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
  /** Raises `change`, so of two changes the later one counts everywhere. */
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
        {
          $set: { ...Object.fromEntries(set), by, at },
          ...(unset.length === 0 ? {} : { $unset: Object.fromEntries(unset.map(([key]) => [key, ""])) }),
          $inc: { change: 1 },
        },
        { upsert: true, returnDocument: "after" },
      );
      if (document === null) throw new Error(`the settings of pool ${pool} are not there after their upsert`);
      return document;
    }),
});
