import { isDeepStrictEqual } from "node:util";
import type { Collection } from "mongodb";
import type { JudgementDocument } from "./documents.ts";
import { groupCommit, type ItemOutcome } from "./groupcommit.ts";
import { guarded, StoreUnavailable } from "./unavailable.ts";

/** Most documents of one write, and most writes at once. */
const LIMITS = { items: 128, writesAtOnce: 2 };

const guardOf = (next: JudgementDocument) => ({ _id: next._id, change: next.change - 1 });

/**
 * Replaces in groups, each document under its own guard; see Judgements.replaceIfUnchanged. The server says of a
 * group only how many were replaced. When not all were, what is stored tells which: a write got through if just
 * that document is there.
 */
export function groupReplace(
  collection: Collection<JudgementDocument>,
): (next: JudgementDocument) => Promise<boolean> {
  async function areStored(group: readonly JudgementDocument[]): Promise<ItemOutcome<boolean>[]> {
    const found = await collection.find({ _id: { $in: group.map((next) => next._id) } }).toArray();
    const stored = new Map(found.map((one) => [one._id, one]));
    return group.map((next) => ({ value: isDeepStrictEqual(stored.get(next._id), next) }));
  }

  async function together(group: readonly JudgementDocument[]): Promise<ItemOutcome<boolean>[]> {
    const operations = group.map((next) => ({ replaceOne: { filter: guardOf(next), replacement: next } }));
    const { matchedCount } = await collection.bulkWrite(operations, { ordered: false });
    return matchedCount === group.length ? group.map(() => ({ value: true })) : await areStored(group);
  }

  return groupCommit<JudgementDocument, boolean>(LIMITS, async (group) => {
    try {
      return await guarded(() => together(group));
    } catch (error) {
      if (error instanceof StoreUnavailable || group.length === 1) throw error;
      // One document that the database refuses must not fail its neighbours: each on its own.
      const alone = group.map((next) => guarded(() => together([next])));
      return (await Promise.allSettled(alone)).map((settled): ItemOutcome<boolean> => {
        if (settled.status === "rejected") return { error: settled.reason };
        return settled.value[0] ?? { value: false };
      });
    }
  });
}
