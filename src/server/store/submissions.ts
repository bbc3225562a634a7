import type { Collection } from "mongodb";
import type { Sha256, SubmissionId } from "../../shared/ids.ts";
import type { SubmissionDocument, WorkDocument } from "./documents.ts";
import { groupInsert, type InsertOutcome } from "./insertgroup.ts";
import { EXPIRY_INDEX } from "./judgements.ts";
import { guarded } from "./unavailable.ts";

export interface Submissions {
  /** "taken": the owner has used this idempotency key before. Durable on a majority when it returns. */
  insert(handedIn: SubmissionDocument | WorkDocument): Promise<InsertOutcome>;
  get(id: SubmissionId): Promise<SubmissionDocument | undefined>;
  byKey(owner: string, idempotencyKey: string): Promise<SubmissionDocument | undefined>;
  many(ids: readonly SubmissionId[]): Promise<SubmissionDocument[]>;
  /**
   * Points a submission to a newer judgement, which is stored before. Guarded by the generation: false when one as new
   * counts already. Repeatable.
   */
  pointTo(input: { id: SubmissionId; generation: number; manifest?: Sha256 | undefined }): Promise<boolean>;
  /** Which of these blobs are files of submissions with ids from `from` to `to`, which sort by time. */
  referred(input: {
    blobs: readonly Sha256[];
    from: SubmissionId;
    to: SubmissionId;
  }): Promise<ReadonlySet<Sha256>>;
}

export async function createSubmissions(collection: Collection<SubmissionDocument>): Promise<Submissions> {
  await guarded(() =>
    collection.createIndexes([{ key: { owner: 1, idempotencyKey: 1 }, unique: true }, EXPIRY_INDEX]),
  );
  return {
    insert: groupInsert(collection as unknown as Collection<SubmissionDocument | WorkDocument>),
    get: (id) => guarded(async () => (await collection.findOne({ _id: id })) ?? undefined),
    byKey: (owner, idempotencyKey) =>
      guarded(async () => (await collection.findOne({ owner, idempotencyKey })) ?? undefined),
    many: (ids) => guarded(() => collection.find({ _id: { $in: [...ids] } }).toArray()),
    pointTo: ({ id, generation, manifest }) =>
      guarded(async () => {
        const set = { generation, ...(manifest === undefined ? {} : { manifest }) };
        const moved = await collection.updateOne({ _id: id, generation: { $lt: generation } }, { $set: set });
        return moved.matchedCount === 1;
      }),
    referred: ({ blobs, from, to }) =>
      guarded(async () => {
        const wanted = new Set(blobs);
        const found = new Set<Sha256>();
        const range = collection
          .find({ _id: { $gte: from, $lte: to }, "files.sha256": { $in: [...blobs] } })
          .project<Pick<SubmissionDocument, "files">>({ files: 1 });
        for await (const { files } of range) {
          for (const { sha256 } of files) if (wanted.has(sha256)) found.add(sha256);
        }
        return found;
      }),
  };
}
