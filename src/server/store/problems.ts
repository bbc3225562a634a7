import type { Collection } from "mongodb";
import type { ProblemId, Sha256 } from "../../shared/ids.ts";
import type { BlobStore } from "./blobs.ts";
import type { ProblemDocument } from "./documents.ts";
import { guarded } from "./unavailable.ts";

export interface Problems {
  get(id: ProblemId): Promise<ProblemDocument | undefined>;
  /** Makes this the newest version. Its blobs and manifest must be stored before. */
  put(problem: ProblemDocument): Promise<void>;
  /** Those whose time limit is still measured. */
  timed(): Promise<ProblemDocument[]>;
  /** A version with its inferred time limit. False when the problem is another version by now. */
  setTimeLimit(input: {
    problem: ProblemDocument;
    manifest: Sha256;
    inferred: NonNullable<ProblemDocument["inferred"]>;
  }): Promise<boolean>;
  /** Takes no more submissions for it. False when it is another version by now, or taken out already. */
  takeOut(input: { id: ProblemId; manifest: Sha256; at: Date; reason: string }): Promise<boolean>;
  /** Takes submissions for it again; the problem as it is then. */
  reinstate(id: ProblemId, at: Date): Promise<ProblemDocument | undefined>;
  /** Up to `first` problems after `after` by id. */
  page(input: { after?: ProblemId | undefined; first: number }): Promise<ProblemDocument[]>;
}

export function createProblems(deps: {
  readonly collection: Collection<ProblemDocument>;
  readonly blobs: Pick<BlobStore, "keep">;
}): Problems {
  const { collection, blobs } = deps;
  return {
    get: (id) => guarded(async () => (await collection.findOne({ _id: id })) ?? undefined),
    put: (problem) =>
      guarded(async () => {
        // Before the problem: submissions pin the version that they were made for, so its blobs stay for ever.
        await blobs.keep([problem.manifest, ...problem.blobs]);
        await collection.replaceOne({ _id: problem._id }, problem, { upsert: true });
      }),
    timed: () => guarded(() => collection.find({ timing: { $exists: true } }).toArray()),
    setTimeLimit: ({ problem, manifest, inferred }) =>
      guarded(async () => {
        const written = await collection.updateOne(
          { _id: problem._id, manifest: problem.manifest },
          {
            $set: { manifest, inferred, timeMs: inferred.timeMs, blobs: [...problem.blobs, manifest] },
            $unset: { timing: 1 },
          },
        );
        return written.matchedCount === 1;
      }),
    takeOut: ({ id, manifest, at, reason }) =>
      guarded(async () => {
        const written = await collection.updateOne(
          { _id: id, manifest, takenOut: { $exists: false } },
          { $set: { takenOut: { at, reason } } },
        );
        return written.matchedCount === 1;
      }),
    reinstate: (id, at) =>
      guarded(
        async () =>
          (await collection.findOneAndUpdate(
            { _id: id },
            { $unset: { takenOut: 1 }, $set: { reinstatedAt: at } },
            { returnDocument: "after" },
          )) ?? undefined,
      ),
    page: ({ after, first }) =>
      guarded(() =>
        collection
          .find(after === undefined ? {} : { _id: { $gt: after } })
          .sort({ _id: 1 })
          .limit(first)
          .toArray(),
      ),
  };
}
