import type { Collection } from "mongodb";
import type { ProblemId } from "../../shared/ids.ts";
import type { QueueId } from "../../shared/queue.ts";
import { guarded } from "./unavailable.ts";

/** How long jobs take on an executor: of one problem in one language, and, without a problem, of a whole queue. */
export interface ServiceTimeDocument {
  /** `<queue>/<problem>`, or `<queue>/`. */
  readonly _id: string;
  readonly queue: QueueId;
  readonly problem?: ProblemId;
  /** Of the newest ones more than of older ones, milliseconds. */
  readonly meanMs: number;
  /** How many stand behind it, up to MOST_WEIGHT. */
  readonly weight: number;
  readonly updatedAt: Date;
}

export interface Measured {
  readonly queue: QueueId;
  readonly problem?: ProblemId | undefined;
  readonly sumMs: number;
  readonly count: number;
}

export interface ServiceTimes {
  /** Adds what was measured; servers may do so at the same time. */
  add(measured: readonly Measured[]): Promise<void>;
  /** The most recently measured ones. */
  newest(limit: number): Promise<ServiceTimeDocument[]>;
}

/** What was measured before counts as so many at most: the mean follows a change within that many jobs. */
const MOST_WEIGHT = 20;

export async function createServiceTimes(collection: Collection<ServiceTimeDocument>): Promise<ServiceTimes> {
  await guarded(() => collection.createIndex({ updatedAt: -1 }));
  return {
    add: (measured) =>
      guarded(async () => {
        if (measured.length === 0) return;
        const before = { $min: [MOST_WEIGHT, { $ifNull: ["$weight", 0] }] };
        await collection.bulkWrite(
          measured.map(({ queue, problem, sumMs, count }) => {
            const weight = { $add: [before, count] };
            const sum = { $add: [{ $multiply: [before, { $ifNull: ["$meanMs", 0] }] }, sumMs] };
            return {
              updateOne: {
                filter: { _id: `${queue}/${problem ?? ""}` },
                update: [
                  {
                    $set: {
                      queue: { $literal: queue },
                      ...(problem === undefined ? {} : { problem: { $literal: problem } }),
                      meanMs: { $divide: [sum, weight] },
                      weight,
                      updatedAt: "$$NOW",
                    },
                  },
                ],
                upsert: true,
              },
            };
          }),
          { ordered: false, writeConcern: { w: 1, journal: false } },
        );
      }),
    newest: (limit) => guarded(() => collection.find().sort({ updatedAt: -1 }).limit(limit).toArray()),
  };
}
