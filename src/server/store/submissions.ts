import type { Collection } from "mongodb";
import type { SubmissionId } from "../../shared/ids.ts";
import type { SubmissionDocument } from "./documents.ts";
import { groupInsert, type InsertOutcome } from "./insertgroup.ts";
import { guarded } from "./unavailable.ts";

export interface Submissions {
  /** "taken": the owner has used this idempotency key before. Durable on a majority when it returns. */
  insert(submission: SubmissionDocument): Promise<InsertOutcome>;
  get(id: SubmissionId): Promise<SubmissionDocument | undefined>;
  byKey(owner: string, idempotencyKey: string): Promise<SubmissionDocument | undefined>;
  many(ids: readonly SubmissionId[]): Promise<SubmissionDocument[]>;
}

export async function createSubmissions(collection: Collection<SubmissionDocument>): Promise<Submissions> {
  await guarded(() => collection.createIndex({ owner: 1, idempotencyKey: 1 }, { unique: true }));
  return {
    insert: groupInsert(collection),
    get: (id) => guarded(async () => (await collection.findOne({ _id: id })) ?? undefined),
    byKey: (owner, idempotencyKey) =>
      guarded(async () => (await collection.findOne({ owner, idempotencyKey })) ?? undefined),
    many: (ids) => guarded(() => collection.find({ _id: { $in: [...ids] } }).toArray()),
  };
}
