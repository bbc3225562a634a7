import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { Binary, type Collection } from "mongodb";
import type { Clock } from "../../shared/clock.ts";
import type { Sha256 } from "../../shared/ids.ts";
import { createRecent, type Evicted } from "../../shared/recent.ts";
import type { BlobBytes } from "./blobbytes.ts";
import { BlobDamaged, type BlobStore } from "./blobs.ts";
import { groupInsert } from "./insertgroup.ts";
import { guarded } from "./unavailable.ts";

export interface BlobDocument {
  readonly _id: Sha256;
  readonly sizeBytes: number;
  /** The bytes themselves, when they are few; else they lie in BlobBytes. */
  readonly data?: Binary;
  /** First put: what refers to it is not older. Missing where an older version stored it. */
  readonly firstAt?: Date;
  /** Last put. What nothing refers to a day later is collected. */
  readonly touchedAt: Date;
  /** Something refers to it; submissions and problem versions stay for ever. */
  readonly kept: boolean;
}

/** Up to this, bytes lie in the ledger: one insert, where GridFS takes two and an index look-up (bytes). */
const INLINE_BYTES = 256 * 1024;
/** A blob put by this server so recently is not put again, milliseconds: far below the age of collection. */
const REMEMBER_MS = 10 * 60_000;

export const sha256Of = (content: Uint8Array): Sha256 =>
  createHash("sha256").update(content).digest("hex") as Sha256;

/** The ledger names every blob; small ones lie in it, the bytes of larger ones in `bytes`. */
export async function createBlobs(deps: {
  readonly collection: Collection<BlobDocument>;
  readonly bytes: BlobBytes;
  readonly clock: Clock;
  readonly evicted: Evicted;
}): Promise<BlobStore> {
  const { collection, bytes, clock } = deps;
  await guarded(() => collection.createIndex({ touchedAt: 1 }, { partialFilterExpression: { kept: false } }));
  const insert = groupInsert(collection);
  /** When this server last saw a blob stored. */
  const recent = createRecent<Sha256, number>("rememberedBlobs", deps.evicted);

  async function put(content: Uint8Array): Promise<Sha256> {
    const sha256 = sha256Of(content);
    const now = clock.now();
    if ((recent.get(sha256) ?? -Infinity) > now - REMEMBER_MS) return sha256;
    const touchedAt = new Date(now);
    const inline = content.length <= INLINE_BYTES;
    const missing = !inline && (await guarded(() => collection.countDocuments({ _id: sha256 }))) === 0;
    if (missing) await bytes.write(sha256, content);
    const outcome = await insert({
      _id: sha256,
      sizeBytes: content.length,
      ...(inline ? { data: new Binary(content) } : {}),
      firstAt: touchedAt,
      touchedAt,
      kept: false,
    });
    // Collected since it was looked for: its bytes have gone with its name.
    if (outcome === "inserted" && !inline && !missing) await bytes.write(sha256, content);
    if (outcome === "taken") {
      const touched = await guarded(() => collection.updateOne({ _id: sha256 }, { $max: { touchedAt } }));
      // Collected between the two: put it anew.
      if (touched.matchedCount === 0) return await put(content);
    }
    recent.set(sha256, now);
    return sha256;
  }

  async function open(sha256: Sha256) {
    const found = await guarded(() => collection.findOne({ _id: sha256 }));
    if (found === null) return undefined;
    const stream =
      found.data === undefined ? await bytes.open(sha256) : Readable.from([Buffer.from(found.data.buffer)]);
    return stream === undefined ? undefined : { sizeBytes: found.sizeBytes, stream };
  }

  return {
    put,
    open,
    has: (sha256) =>
      guarded(async () => (await collection.countDocuments({ _id: sha256 }, { limit: 1 })) > 0),
    async read(sha256) {
      const blob = await open(sha256);
      if (blob === undefined) return undefined;
      const content = await guarded(() => buffer(blob.stream));
      if (sha256Of(content) !== sha256) throw new BlobDamaged(sha256);
      return content;
    },
    unclaimed: (before, limit) =>
      guarded(async () => {
        const found = await collection
          .find({ kept: false, touchedAt: { $lt: before } })
          .sort({ touchedAt: 1 })
          .limit(limit)
          .project<Pick<BlobDocument, "_id" | "firstAt" | "touchedAt">>({ firstAt: 1, touchedAt: 1 })
          .toArray();
        return found.map(({ _id, firstAt, touchedAt }) => ({
          sha256: _id,
          firstAt: firstAt ?? new Date(0),
          touchedAt,
        }));
      }),
    keep: (names) =>
      guarded(async () => {
        await collection.updateMany({ _id: { $in: [...names] } }, { $set: { kept: true } });
      }),
    sweep: (before) => bytes.sweep(before),
    collect: ({ sha256, touchedAt }) =>
      guarded(async () => {
        // Looked for before the name goes: whoever puts it again after that brings bytes of their own.
        const removeBytes = await bytes.remover(sha256);
        const gone = await collection.deleteOne({ _id: sha256, touchedAt, kept: false });
        if (gone.deletedCount === 0) return false;
        await removeBytes();
        return true;
      }),
  };
}
