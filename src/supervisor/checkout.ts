import { realpathSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Top folder of this checkout. */
export const ROOT = join(import.meta.dirname, "../..");
/** The Node that runs this, which is new enough. */
export const NODE = realpathSync(process.execPath);

const OTHERS_EXECUTE = 0o001;

/**
 * Can a user of another id reach the sources and Node? Not in a checkout below a closed folder such as /root: there
 * the server keeps our own user.
 */
export async function checkoutIsOpen(): Promise<boolean> {
  for (const start of [ROOT, dirname(NODE)]) {
    for (let at = start; at !== dirname(at); at = dirname(at)) {
      if (((await stat(at)).mode & OTHERS_EXECUTE) === 0) return false;
    }
  }
  return true;
}
