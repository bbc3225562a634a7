import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";

const BIN = join(import.meta.dirname, "../../.docket/bin");

/** Path of a binary that set-up fetched (or found on PATH). Throws with what to do when there is none. */
export function binaryPath(name: "mongod" | "nats-server" | "bwrap"): string {
  const path = join(BIN, name);
  if (!existsSync(path)) throw new Error(`${path} is missing: run the tests by npm test, which fetches it`);
  return realpathSync(path);
}
