import { createHash } from "node:crypto";
import type { Sha256 } from "../shared/ids.ts";
import { openStore } from "../server/store/store.ts";
import type { Identity, LocalRole } from "./identity.ts";

const ROLES: readonly LocalRole[] = ["participant", "jury", "admin"];

/**
 * Makes sure that the stack's own API keys are known to the database: one per role, its owner named like the role.
 * Repeatable, and also the check that MongoDB is there and fit. Throws StoreUnavailable or StoreUnfit.
 */
export async function ensureLocalKeys(
  access: { readonly url: string; readonly database: string },
  identity: Identity,
): Promise<void> {
  const store = await openStore(access);
  try {
    for (const role of ROLES) {
      const hash = createHash("sha256").update(identity.keys[role]).digest("hex") as Sha256;
      if ((await store.apiKeys.get(hash)) !== undefined) continue;
      await store.apiKeys.put({
        _id: hash,
        owner: role,
        role,
        createdAt: new Date(),
        note: "made by the local supervisor",
      });
    }
  } finally {
    await store.close();
  }
}
