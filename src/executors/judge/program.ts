import type { ManifestTest, ProblemManifest } from "../../shared/judging.ts";
import type { RunLimits, RunRequest } from "../sandbox/sandbox.ts";
import type { BlobSource } from "../work.ts";
import type { Program } from "./build.ts";
import { openTestBox } from "./testbox.ts";
import { wallMsFor } from "./wall.ts";
import type { Workspace } from "./workspace.ts";

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
 * How a submission is run on a test: with the test's arguments, and with its files in /box. One that may write files is
 * run in a copy in memory, which counts as its own.
 */
export async function testRequest(
  deps: { readonly workspace: Workspace; readonly blobs: BlobSource },
  program: Program,
  { limits, writesFiles }: Pick<ProblemManifest, "limits" | "writesFiles">,
  { args = [], files = [] }: Pick<ManifestTest, "args" | "files">,
): Promise<ReturnType<typeof programRequest>> {
  const base = programRequest(program, limits.memoryMiB);
  if (args.length === 0 && files.length === 0 && writesFiles !== true) return base;
  // An isolate knows neither arguments nor files.
  const { isolate: _, ...native } = base;
  const box = files.length === 0 ? native.box : await openTestBox(deps, native.box, files);
  const argv = [...native.argv, ...args] as const;
  return { ...native, box, argv: writesFiles === true ? [...IN_A_COPY, ...argv] : argv };
}

const IN_A_COPY = ["/bin/sh", "-c", 'cp -r /box /tmp/box && cd /tmp/box && exec "$@"', "sh"] as const;

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
