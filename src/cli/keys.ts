import { createHash, randomBytes } from "node:crypto";
import type { Sha256 } from "../shared/ids.ts";
import type { ApiKeyDocument, Role } from "../server/store/documents.ts";
import { openStore, type Store } from "../server/store/store.ts";
import { findRunningStack } from "../supervisor/stackfile.ts";
import { CliTrouble } from "./trouble.ts";

/**
 * API keys are made where the database is, not over the API: whoever may write to the database may make the first key.
 * MONGODB_URL and MONGODB_DATABASE, else the database of the stack that `npm start` runs.
 */
export async function withStore<Result>(
  env: NodeJS.ProcessEnv,
  use: (store: Store) => Promise<Result>,
): Promise<Result> {
  const stack = await findRunningStack(env);
  const url = env["MONGODB_URL"] ?? stack?.mongodbUrl;
  if (url === undefined) {
    throw new CliTrouble(
      "API keys are kept in MongoDB, and no stack is running here: start one with npm start, or set MONGODB_URL (and MONGODB_DATABASE).",
    );
  }
  const database =
    env["MONGODB_DATABASE"] ?? (env["MONGODB_URL"] === undefined ? stack?.database : undefined) ?? "docket";
  const store = await openStore({ url, database });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Makes a key and stores its hash; the key itself is in nobody's hands but the caller's. */
export async function createKey(
  store: Store,
  input: { role: Role; owner: string; note?: string | undefined; days?: number | undefined; now: Date },
): Promise<{ key: string; document: ApiKeyDocument }> {
  const key = `docket_${randomBytes(24).toString("base64url")}`;
  const document: ApiKeyDocument = {
    _id: createHash("sha256").update(key).digest("hex") as Sha256,
    owner: input.owner,
    role: input.role,
    createdAt: input.now,
    ...(input.days === undefined ? {} : { expiresAt: new Date(input.now.getTime() + input.days * DAY_MS) }),
    ...(input.note === undefined ? {} : { note: input.note }),
  };
  await store.apiKeys.put(document);
  return { key, document };
}

/** Revokes the one key whose id starts so, or the key itself. Throws CliTrouble when that is none or several. */
export async function revokeKey(store: Store, idOrKey: string): Promise<ApiKeyDocument> {
  const hash = createHash("sha256").update(idOrKey).digest("hex");
  const keys = await store.apiKeys.list();
  const found = keys.filter(
    (key) => key._id === hash || (idOrKey.length >= 6 && key._id.startsWith(idOrKey)),
  );
  const [only] = found;
  if (only === undefined || found.length > 1) {
    const how =
      found.length > 1 ? `${found.length} keys start with ${idOrKey}` : `There is no key ${idOrKey}`;
    throw new CliTrouble(`${how}. docket keys list shows them; give at least 6 characters of the id.`);
  }
  await store.apiKeys.revoke(only._id);
  return only;
}
