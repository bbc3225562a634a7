import type { Readable } from "node:stream";
import type { Sha256 } from "../../shared/ids.ts";

export interface OpenBlob {
  readonly sizeBytes: number;
  readonly stream: Readable;
}

/**
 * Immutable bytes named by their SHA-256. MongoDB keeps them by default (blobledger.ts); the bytes of
 * larger ones can lie in any store that puts under a name and gets by name (blobbytes.ts).
 */
export interface BlobStore {
  /** Stores the bytes, durable when it returns, and says their name. Repeatable. */
  put(content: Uint8Array): Promise<Sha256>;
  /** Undefined when there is no such blob. The reader checks the hash: bytes come from a disk. */
  open(sha256: Sha256): Promise<OpenBlob | undefined>;
  /** All bytes, hash checked; undefined when there is no such blob. Throws BlobDamaged. */
  read(sha256: Sha256): Promise<Uint8Array | undefined>;
  has(sha256: Sha256): Promise<boolean>;
  /** Names last put before `before` and never marked as kept, the one touched longest ago first, at most `limit`. */
  unclaimed(before: Date, limit: number): Promise<{ sha256: Sha256; firstAt: Date; touchedAt: Date }[]>;
  /** Never to be collected. */
  keep(names: readonly Sha256[]): Promise<void>;
  /** Removes a blob unless it was put again since `touchedAt`. */
  collect(blob: { sha256: Sha256; touchedAt: Date }): Promise<boolean>;
  /** Removes bytes without a name that writes cut short before `before` have left; how many writes. */
  sweep(before: Date): Promise<number>;
}

export class BlobDamaged extends Error {
  override readonly name = "BlobDamaged";
  constructor(sha256: Sha256) {
    super(`the stored bytes of blob ${sha256} do not have its hash`);
  }
}
