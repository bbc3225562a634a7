import { type Collection, MongoServerError } from "mongodb";
import type { ContestId, ProblemId } from "../../shared/ids.ts";
import type { ContestDocument } from "./documents.ts";
import { DUPLICATE_KEY, guarded } from "./unavailable.ts";

export interface Contests {
  get(id: ContestId): Promise<ContestDocument | undefined>;
  /** False when the id is taken. */
  insert(contest: ContestDocument): Promise<boolean>;
  /** Writes `next` if the stored one still has the version before; false when it has moved on. */
  replaceIfUnchanged(next: ContestDocument): Promise<boolean>;
  /** Whether some contest with this problem is going on at that time. */
  isRunning(problem: ProblemId, at: Date): Promise<boolean>;
  /** Up to `first` contests after `after` by id. */
  page(input: { after?: ContestId | undefined; first: number }): Promise<ContestDocument[]>;
}

export const createContests = (collection: Collection<ContestDocument>): Contests => ({
  get: (id) => guarded(async () => (await collection.findOne({ _id: id })) ?? undefined),
  insert: (contest) =>
    guarded(async () => {
      try {
        await collection.insertOne(contest);
        return true;
      } catch (error) {
        if (error instanceof MongoServerError && error.code === DUPLICATE_KEY) return false;
        throw error;
      }
    }),
  replaceIfUnchanged: (next) =>
    guarded(async () => {
      const replaced = await collection.replaceOne({ _id: next._id, version: next.version - 1 }, next);
      return replaced.matchedCount === 1;
    }),
  isRunning: (problem, at) =>
    guarded(async () => {
      const running = { problems: problem, startsAt: { $lte: at }, endsAt: { $gt: at } };
      return (await collection.findOne(running, { projection: { _id: 1 } })) !== null;
    }),
  page: ({ after, first }) =>
    guarded(() =>
      collection
        .find(after === undefined ? {} : { _id: { $gt: after } })
        .sort({ _id: 1 })
        .limit(first)
        .toArray(),
    ),
});
