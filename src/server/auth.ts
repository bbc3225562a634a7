import { createHash } from "node:crypto";
import type { Clock } from "../shared/clock.ts";
import type { Sha256 } from "../shared/ids.ts";
import { createRecent, type Evicted } from "../shared/recent.ts";
import type { ApiKeyDocument, Role } from "./store/documents.ts";

/** Who speaks: the owner and role of the API key that a request carries. */
export interface Viewer {
  readonly owner: string;
  readonly role: Role;
}

export const isJury = (viewer: Viewer): boolean => viewer.role !== "participant";

export type Authentication =
  | { readonly type: "viewer"; readonly viewer: Viewer }
  /** No Authorization header. */
  | { readonly type: "missing" }
  /** Not a Bearer header, or an unknown, expired or revoked key. */
  | { readonly type: "wrong" };

export type Authenticate = (authorization: string | undefined) => Promise<Authentication>;

/** A revoked key stops working after this long at most, milliseconds. */
const KEEP_MS = 3_000;
/**
 * While the look-up fails, what was known is believed for so long after it was last confirmed, milliseconds: an outage
 * of the database is answered by the operation that meets it, and ends no open subscription.
 */
const BELIEVE_MS = 60_000;
const BEARER = /^Bearer +([\x21-\x7e]{1,256})$/i;

interface Remembered {
  /** Asked again after this. */
  readonly until: number;
  /** When the look-up behind it was made. */
  readonly confirmedAt: Promise<number>;
  readonly key: Promise<ApiKeyDocument | undefined>;
}

/** A key's name at rest. */
export const hashApiKey = (key: string): Sha256 => createHash("sha256").update(key).digest("hex") as Sha256;

/**
 * Looks keys up by hash and remembers the answers for a few seconds, so that a busy owner costs one look-up per
 * `KEEP_MS`; a storm of made-up keys cannot fill the memory. Throws what `findKey` throws where nothing is known.
 */
export function createAuthenticate(deps: {
  readonly findKey: (hash: Sha256) => Promise<ApiKeyDocument | undefined>;
  readonly clock: Clock;
  readonly evicted: Evicted;
}): Authenticate {
  const remembered = createRecent<Sha256, Remembered>("rememberedKeys", deps.evicted);

  async function ask(
    hash: Sha256,
    now: number,
    known: Remembered | undefined,
  ): Promise<{ key: ApiKeyDocument | undefined; confirmedAt: number }> {
    try {
      return { key: await deps.findKey(hash), confirmedAt: now };
    } catch (error) {
      const confirmedAt = (await known?.confirmedAt) ?? -Infinity;
      if (known === undefined || confirmedAt + BELIEVE_MS <= now) throw error;
      return { key: await known.key, confirmedAt };
    }
  }

  function lookUp(hash: Sha256, now: number): Promise<ApiKeyDocument | undefined> {
    const known = remembered.get(hash);
    if (known !== undefined && known.until > now) return known.key;
    const asking = ask(hash, now, known);
    const entry: Remembered = {
      until: now + KEEP_MS,
      key: asking.then(({ key }) => key),
      confirmedAt: asking.then(({ confirmedAt }) => confirmedAt),
    };
    remembered.set(hash, entry);
    // Failures are not remembered.
    const forget = (): void => {
      if (remembered.get(hash) === entry) remembered.delete(hash);
    };
    entry.key.catch(forget);
    entry.confirmedAt.catch(() => undefined);
    return entry.key;
  }

  return async (authorization) => {
    if (authorization === undefined) return { type: "missing" };
    const bearer = BEARER.exec(authorization)?.[1];
    if (bearer === undefined) return { type: "wrong" };
    const now = deps.clock.now();
    const key = await lookUp(hashApiKey(bearer), now);
    if (key === undefined || (key.expiresAt !== undefined && key.expiresAt.getTime() <= now)) {
      return { type: "wrong" };
    }
    return { type: "viewer", viewer: { owner: key.owner, role: key.role } };
  };
}
