import type { Collection } from "mongodb";
import type { Sha256 } from "../../shared/ids.ts";
import type { ApiKeyDocument } from "./documents.ts";
import { guarded } from "./unavailable.ts";

/** API keys by the hash of the key; a key itself is never stored. */
export interface ApiKeys {
  get(hash: Sha256): Promise<ApiKeyDocument | undefined>;
  /** Repeatable: the same document again changes nothing. */
  put(key: ApiKeyDocument): Promise<void>;
  list(): Promise<ApiKeyDocument[]>;
  /** False when there was none. */
  revoke(hash: Sha256): Promise<boolean>;
}

export function createApiKeys(collection: Collection<ApiKeyDocument>): ApiKeys {
  return {
    get: (hash) => guarded(async () => (await collection.findOne({ _id: hash })) ?? undefined),
    put: (key) =>
      guarded(async () => {
        await collection.replaceOne({ _id: key._id }, key, { upsert: true });
      }),
    list: () => guarded(() => collection.find().sort({ createdAt: 1 }).toArray()),
    revoke: (hash) => guarded(async () => (await collection.deleteOne({ _id: hash })).deletedCount > 0),
  };
}
