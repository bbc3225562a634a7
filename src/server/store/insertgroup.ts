import { type Collection, type Document, MongoBulkWriteError, type OptionalUnlessRequiredId } from "mongodb";
import { groupCommit, type ItemOutcome } from "./groupcommit.ts";
import { DUPLICATE_KEY, guarded, StoreUnavailable } from "./unavailable.ts";

export type InsertOutcome = "inserted" | "taken";

/** Most documents of one write, and most writes of one collection at once. */
const LIMITS = { items: 128, writesAtOnce: 2 };

/** Inserts in groups; "taken" when a unique key was there before. Durable on a majority when it returns. */
export function groupInsert<T extends Document>(
  collection: Collection<T>,
): (document: T) => Promise<InsertOutcome> {
  return groupCommit<T, InsertOutcome>(LIMITS, (documents) =>
    guarded(async () => {
      try {
        await collection.insertMany(documents as readonly OptionalUnlessRequiredId<T>[], { ordered: false });
        return documents.map(() => ({ value: "inserted" }));
      } catch (error) {
        // Only the server's own list of refused documents says something about the others. A lost connection is
        // wrapped in the same class, with an empty list: then nobody knows what is in.
        if (!(error instanceof MongoBulkWriteError) || [error.writeErrors].flat().length === 0) throw error;
        // Not confirmed by a majority in time.
        if (error.result.getWriteConcernError()) throw new StoreUnavailable(error);
        const outcomes: ItemOutcome<InsertOutcome>[] = documents.map(() => ({ value: "inserted" }));
        for (const failed of [error.writeErrors].flat()) {
          outcomes[failed.index] = failed.code === DUPLICATE_KEY ? { value: "taken" } : { error: failed };
        }
        return outcomes;
      }
    }),
  );
}
