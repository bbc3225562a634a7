import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LANGUAGES } from "../../shared/language.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { compileRequest, type UsableLanguage } from "./compiler.ts";
import { readWords, runToEnd } from "./run.ts";
import type { Workspace } from "./workspace.ts";

const LIMITS = { compilationTimeMs: 30_000, compilationMemoryMiB: 1_024 };

/**
 * Keeps a broken toolchain from becoming a compile error: before a refusal is believed, the language's own self-test
 * must compile. That it did a moment ago says nothing of now. Undefined when it does, else what the toolchain says
 * about it.
 */
export async function findBroken(
  deps: { readonly sandbox: Sandbox; readonly cpuPressure: () => number },
  usable: UsableLanguage,
  at: { readonly slot: number; readonly workspace: Workspace; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const { slot, workspace, signal } = at;
  const { definition, toolchain } = usable;
  // A package's own build script: nothing of ours is in it that could be proved.
  if (definition.selfTest === "") return undefined;
  const file = LANGUAGES[definition.id].defaultFile;
  const argv = definition.compile?.({ toolchain, files: [file] });
  if (argv === undefined) return undefined;
  const box = await workspace.writableFolder("selftest");
  await writeFile(join(box, file), definition.selfTest, { mode: 0o644 });
  const stderr = workspace.file("selftest-stderr");
  const compile = compileRequest(usable, LIMITS, deps.cpuPressure());
  const { status } = await runToEnd(
    deps.sandbox,
    { ...compile, argv, box, slot, stdout: null, stderr },
    signal,
  );
  if (status.type === "exited" && status.code === 0) return undefined;
  return `${JSON.stringify(status)}\n${readWords(stderr, 4_000)}`;
}
