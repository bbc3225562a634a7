import { homedir } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import { startPreparing } from "../src/executors/prepared/preparing.ts";
import { findLanguages } from "../src/executors/selftest.ts";
import { LANGUAGE_IDS } from "../src/shared/language.ts";
import { DEFAULT_LIMITS } from "../src/shared/limits.ts";
import { createLog } from "../src/shared/log.ts";

/** Where the stacks of this checkout keep them. */
const CACHE = join(import.meta.dirname, "../.docket/toolchains");

/** Makes what executors would make in the background, so that it is not made while something is measured. */
export async function prepareToolchains(languages: readonly string[]): Promise<void> {
  const ids = LANGUAGE_IDS.filter((id) => languages.includes(id));
  const places = { path: process.env["PATH"], home: homedir(), node: process.execPath, cacheDir: CACHE };
  const { found } = await findLanguages(ids, places);
  const wanted = found.flatMap(({ toolchain }) => toolchain.prepared ?? []);
  const deps = { registry: new Registry(), log: createLog("bench", "warn") };
  await startPreparing(deps, { cacheDir: CACHE, maxBytes: DEFAULT_LIMITS.toolchainCacheBytes, wanted }).done;
}
