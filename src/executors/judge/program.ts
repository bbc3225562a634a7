import type { RunLimits, RunRequest } from "../sandbox/sandbox.ts";
import type { Program } from "./build.ts";
import { wallMsFor } from "./wall.ts";

/** Limits of a problem on one run, before what the language adds. */
export interface PlainLimits {
  readonly timeMs: number;
  readonly memoryMiB: number;
  readonly outputMiB: number;
}

export function runLimits(
  { definition }: Program,
  plain: PlainLimits,
  machine: { readonly timeFactor: number; readonly pressure: number },
): RunLimits {
  const cpuMs = Math.ceil(plain.timeMs * machine.timeFactor);
  return {
    cpuMs,
    wallMs: wallMsFor(cpuMs, machine.pressure),
    memoryKiB: (plain.memoryMiB + definition.memoryBaseMiB) * 1024,
    outputKiB: plain.outputMiB * 1024,
    processes: definition.processes,
  };
}

/**
 * How a compiled program is run. Its /box is the cached artefact itself, read-only: nothing is copied per test and
 * nothing that a test writes can reach the next one. What it may write to is the sandbox's own /tmp, new each time.
 */
export function programRequest(
  program: Program,
  memoryMiB: number,
): Pick<RunRequest, "argv" | "env" | "box" | "boxWritable" | "mounts" | "isolate"> {
  const { definition, toolchain, files, entryPoint, artefact } = program;
  const input = { toolchain, files, entryPoint, memoryMiB };
  const script = definition.isolateScript?.(input);
  return {
    argv: definition.run(input),
    ...(script === undefined ? {} : { isolate: { script } }),
    env: toolchain.env,
    box: artefact.box,
    boxWritable: false,
    mounts: toolchain.mounts,
  };
}
