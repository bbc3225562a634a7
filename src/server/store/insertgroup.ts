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
        if (!(error instanceof MongoBulkWriteError)) throw error;
        // Not confirmed by a majority in time. Otherwise what the errors do not name is in.
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
