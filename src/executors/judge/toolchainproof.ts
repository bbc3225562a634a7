import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../shared/clock.ts";
import { LANGUAGES } from "../../shared/language.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { compileRequest, type UsableLanguage } from "./compiler.ts";
import { readWords, runToEnd } from "./run.ts";
import type { Workspace } from "./workspace.ts";

/** A toolchain that compiled something so lately is believed when it refuses a program, milliseconds. */
const BELIEVED_MS = 60_000;
const LIMITS = { compilationTimeMs: 30_000, compilationMemoryMiB: 1_024 };

/**
 * Keeps a broken toolchain from becoming a compile error: before a refusal is believed, the language's own self-test
 * must have compiled within the last minute.
 */
export interface ToolchainProof {
  /** It has just compiled a program. */
  worked(usable: UsableLanguage): void;
  /** Undefined when the toolchain works, else what it says about its own self-test. */
  check(
    usable: UsableLanguage,
    at: { readonly slot: number; readonly workspace: Workspace; readonly signal: AbortSignal },
  ): Promise<string | undefined>;
}

const keyOf = ({ definition, toolchain }: UsableLanguage): string => `${definition.id} ${toolchain.version}`;

export function createToolchainProof(deps: {
  readonly sandbox: Sandbox;
  readonly clock: Clock;
  readonly cpuPressure: () => number;
}): ToolchainProof {
  const workedAtMs = new Map<string, number>();
  const worked = (usable: UsableLanguage): void => {
    workedAtMs.set(keyOf(usable), deps.clock.now());
  };
  return {
    worked,
    async check(usable, { slot, workspace, signal }) {
      const { definition, toolchain } = usable;
      if (deps.clock.now() - (workedAtMs.get(keyOf(usable)) ?? -Infinity) < BELIEVED_MS) return undefined;
      const file = LANGUAGES[definition.id].defaultFile;
      const argv = definition.compile?.({ toolchain, files: [file] });
      if (argv === undefined) return undefined;
      const box = await workspace.writableFolder("selftest");
      await writeFile(join(box, file), definition.selfTest, { mode: 0o644 });
      const stderr = workspace.file("selftest-stderr");
      const request = {
        ...compileRequest(usable, LIMITS, deps.cpuPressure()),
        argv,
        box,
        slot,
        stdout: null,
        stderr,
      };
      const { status } = await runToEnd(deps.sandbox, request, signal);
      if (status.type === "exited" && status.code === 0) {
        worked(usable);
        return undefined;
      }
      return `${JSON.stringify(status)}\n${readWords(stderr, 4_000)}`;
    },
  };
}
