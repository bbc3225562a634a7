import { createHmac, randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

/** What makes a stack this one and nobody else; kept in its data folder, readable by its owner alone. */
const Identity = z.object({
  /** Short, for the names of processes and cgroups. */
  id: z.string().regex(/^[a-z0-9]{6}$/),
  /** Every other secret of the stack is derived from it. */
  secret: z.string().min(43),
  keys: z.object({ participant: z.string(), jury: z.string(), admin: z.string() }),
});
export type Identity = z.infer<typeof Identity>;

export type LocalRole = keyof Identity["keys"];

const random = (bytes: number): string => randomBytes(bytes).toString("base64url");

const newKey = (): string => `docket_${random(24)}`;

const newIdentity = (): Identity => ({
  id: randomBytes(3).toString("hex"),
  secret: random(32),
  keys: { participant: newKey(), jury: newKey(), admin: newKey() },
});

/** Reads the data folder's identity, or makes one at the first start. */
export async function identityOf(folder: string): Promise<Identity> {
  const path = join(folder, "identity.json");
  try {
    return Identity.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      throw new Error(`${path} is damaged; move it away to start with new keys`, { cause: error });
    }
  }
  const identity = newIdentity();
  await writeFile(`${path}.new`, `${JSON.stringify(identity, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
  return identity;
}

/** A secret of the stack for one purpose, e.g. "nats:server"; 43 characters. */
export const derive = (identity: Identity, purpose: string): string =>
  createHmac("sha256", identity.secret).update(purpose).digest("base64url");
