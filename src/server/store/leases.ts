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
        const mine = { $eq: ["$holder", holder] };
        try {
          const lease = await collection.findOneAndUpdate(
            { _id: name, $expr: { $or: [mine, { $lt: ["$until", "$$NOW"] }] } },
            [
              {
                $set: {
                  term: { $cond: [mine, "$term", { $add: [{ $ifNull: ["$term", 0] }, 1] }] },
                  until: { $add: ["$$NOW", ttlMs] },
                },
              },
              { $set: { holder: { $literal: holder } } },
            ],
            { upsert: true, returnDocument: "after" },
          );
          return lease?.term;
        } catch (error) {
          // Somebody else holds it: the filter found nothing and the upsert met the document.
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
