import { chown, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

/**
 * Gives a file, or a folder and all in it, to a user (uid = gid). Links are not followed. Does nothing without a uid, and
 * nothing below when the folder is that user's already.
 */
export async function giveTo(folder: string, uid: number | undefined): Promise<void> {
  if (uid === undefined) return;
  const found = await lstat(folder);
  if (found.uid === uid || found.isSymbolicLink()) return;
  if (!found.isDirectory()) return await chown(folder, uid, uid);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    await giveTo(join(folder, entry.name), uid);
  }
  // Last, so that a giving cut short is taken up again.
  await chown(folder, uid, uid);
}
