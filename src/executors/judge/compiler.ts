import type { ProblemManifest } from "../../shared/judging.ts";
import type { LanguageDefinition, Toolchain } from "../languages/language.ts";
import type { RunRequest } from "../sandbox/sandbox.ts";
import { wallMsFor } from "./wall.ts";

/** A language whose toolchain was found and proved on this machine. */
export interface UsableLanguage {
  readonly definition: LanguageDefinition;
  readonly toolchain: Toolchain;
}

export type CompileLimits = Pick<ProblemManifest["limits"], "compilationTimeMs" | "compilationMemoryMiB">;

/** Largest file that a compiler may write, its messages included. */
export const COMPILER_OUTPUT_KIB = 64 * 1024;
/** Compilers run in several processes and threads, and more of them on larger machines. */
const COMPILER_PROCESSES = 256;

/** A compiler's run but for its command and files. */
export function compileRequest(
  { toolchain }: UsableLanguage,
  limits: CompileLimits,
  pressure: number,
): Omit<RunRequest, "argv" | "box" | "slot" | "stdout" | "stderr"> {
  return {
    env: toolchain.env,
    boxWritable: true,
    mounts: toolchain.mounts,
    stdin: null,
    limits: {
      cpuMs: limits.compilationTimeMs,
      wallMs: wallMsFor(limits.compilationTimeMs, pressure),
      memoryKiB: limits.compilationMemoryMiB * 1024,
      outputKiB: COMPILER_OUTPUT_KIB,
      processes: COMPILER_PROCESSES,
    },
  };
}
