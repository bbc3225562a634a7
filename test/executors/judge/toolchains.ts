import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { UsableLanguage } from "../../../src/executors/judge/compiler.ts";
import { LANGUAGE_DEFINITIONS } from "../../../src/executors/languages/languages.ts";
import type { ReadOnlyMount } from "../../../src/executors/sandbox/sandbox.ts";
import type { LanguageId } from "../../../src/shared/language.ts";

/** What a toolchain builds once (Go's standard library) is kept for the next run of the tests. */
const CACHE = join(import.meta.dirname, "../../../.docket/cache/toolchains");

export interface FoundLanguages {
  readonly usable: (id: LanguageId) => UsableLanguage | undefined;
  readonly mounts: readonly ReadOnlyMount[];
}

/** Finds the toolchains of this machine, as an executor does while it is still root. */
export async function findLanguages(ids: readonly LanguageId[]): Promise<FoundLanguages> {
  mkdirSync(CACHE, { recursive: true });
  const found = new Map<LanguageId, UsableLanguage>();
  for (const id of ids) {
    const definition = LANGUAGE_DEFINITIONS[id];
    const places = { path: process.env["PATH"], home: homedir(), node: process.execPath, cacheDir: CACHE };
    const toolchain = await definition.find(places);
    if (toolchain !== undefined) found.set(id, { definition, toolchain });
  }
  return {
    usable: (id) => found.get(id),
    mounts: [...found.values()].flatMap(({ toolchain }) => toolchain.mounts),
  };
}
