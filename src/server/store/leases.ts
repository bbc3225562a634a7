import { type Collection, MongoServerError } from "mongodb";
import { DUPLICATE_KEY, guarded } from "./unavailable.ts";

/** The right to do something that one server does at a time. */
export interface LeaseDocument {
  readonly _id: string;
  readonly holder: string;
  readonly until: Date;
  /** Grows with each change of hands. */
  readonly term: number;
}

export interface Leases {
  /**
   * Takes or keeps the lease for `ttlMs` by the database's clock: the term under which it is held, or undefined
   * while another holds it. A lease only spares double work: whatever is done under it is guarded by itself.
   */
  acquire(input: { name: string; holder: string; ttlMs: number }): Promise<number | undefined>;
  /** Gives it back, so that another need not wait for its end. */
  release(input: { name: string; holder: string }): Promise<void>;
}

export function createLeases(collection: Collection<LeaseDocument>): Leases {
  return {
    acquire: ({ name, holder, ttlMs }) =>
      guarded(async () => {
        // Decided inside the update: an upsert's filter may hold no expression.
        const mine = { $eq: ["$holder", { $literal: holder }] };
        const free = { $or: [mine, { $lt: [{ $ifNull: ["$until", new Date(0)] }, "$$NOW"] }] };
        const whenFree = (value: unknown, field: string) => ({ $cond: [free, value, field] });
        try {
          const lease = await collection.findOneAndUpdate(
            { _id: name },
            [
              {
                // One stage: every expression in it sees the document as it was.
                $set: {
                  term: whenFree(
                    { $cond: [mine, "$term", { $add: [{ $ifNull: ["$term", 0] }, 1] }] },
                    "$term",
                  ),
                  until: whenFree({ $add: ["$$NOW", ttlMs] }, "$until"),
                  holder: whenFree({ $literal: holder }, "$holder"),
                },
              },
            ],
            { upsert: true, returnDocument: "after" },
          );
          return lease?.holder === holder ? lease.term : undefined;
        } catch (error) {
          // Somebody else made it in the same moment.
          if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) return undefined;
          throw error;
        }
      }),
    release: ({ name, holder }) =>
      guarded(async () => {
        await collection.updateOne({ _id: name, holder }, { $set: { until: new Date(0) } });
      }),
  };
}
