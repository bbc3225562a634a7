import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Db, GridFSBucket, ObjectId } from "mongodb";
import type { Sha256 } from "../../shared/ids.ts";
import { guarded } from "./unavailable.ts";

/** Where the bytes of larger blobs lie. GridFS here; an object store such as S3 has the same three verbs. */
export interface BlobBytes {
  /** Durable when it returns. Repeatable. */
  write(sha256: Sha256, content: Uint8Array): Promise<void>;
  /** Undefined when they are not there, or not wholly. */
  open(sha256: Sha256): Promise<Readable | undefined>;
  /** What removes the bytes that are there now, and none that are written later. */
  remover(sha256: Sha256): Promise<() => Promise<void>>;
  /** Removes what writes that were cut short before `before` have left; how many. */
  sweep(before: Date): Promise<number>;
}

export function gridFsBytes(db: Db): BlobBytes {
  const bucket = new GridFSBucket(db, { bucketName: "blobs" });
  const files = (sha256: Sha256) => bucket.find({ filename: sha256 }).toArray();
  return {
    // A file's own document is written after its chunks: what a crash cuts short has no name and is never read.
    // Two writers at once leave two whole files; readers take either.
    write: (sha256, content) =>
      guarded(() => pipeline(Readable.from([Buffer.from(content)]), bucket.openUploadStream(sha256))),
    open: (sha256) =>
      guarded(async () => {
        const [file] = await files(sha256);
        return file === undefined ? undefined : bucket.openDownloadStream(file._id);
      }),
    remover: (sha256) =>
      guarded(async () => {
        const there = await files(sha256);
        return () =>
          guarded(async () => {
            for (const file of there) await bucket.delete(file._id);
          });
      }),
    sweep: (before) =>
      guarded(async () => {
        // Chunks name their file by an id that holds the time.
        const last = ObjectId.createFromTime(Math.floor(before.getTime() / 1000));
        const chunks = db.collection<{ files_id: ObjectId; n: number }>("blobs.chunks");
        // One by one, out of the index alone, however many there are. Every file has a first chunk.
        const cut = chunks.aggregate<{ files_id: ObjectId }>([
          { $match: { files_id: { $lt: last }, n: 0 } },
          { $project: { _id: 0, files_id: 1 } },
          { $lookup: { from: "blobs.files", localField: "files_id", foreignField: "_id", as: "file" } },
          { $match: { file: { $size: 0 } } },
        ]);
        let removed = 0;
        for await (const { files_id } of cut) {
          await chunks.deleteMany({ files_id });
          removed += 1;
        }
        return removed;
      }),
  };
}
