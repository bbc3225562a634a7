import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Prepared } from "../languages/language.ts";

/**
 * What makes toolchains quicker, on the disk of one machine: root's, shared by its executors, shown to programs
 * read-only. A folder is made empty before the sandbox opens and filled later; each file is renamed into it whole.
 */
export const preparedRoot = (cacheDir: string): string => join(cacheDir, "prepared");

/** Written last. Its time tells when an executor last wanted what is there. */
export const COMPLETE = "complete";

/** Changes with everything that goes into it, so that what an older compiler made is never used. */
export function preparedFolder(cacheDir: string, prepared: Prepared): string {
  const hash = createHash("sha256").update(JSON.stringify(prepared)).digest("hex").slice(0, 16);
  return join(preparedRoot(cacheDir), `${prepared.name}-${hash}`);
}

export const isComplete = (folder: string): boolean => existsSync(join(folder, COMPLETE));

/** Bytes of the files below `folder`; 0 when it is not there. */
export function bytesBelow(folder: string): number {
  try {
    return readdirSync(folder, { withFileTypes: true, recursive: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
  } catch {
    return 0;
  }
}
