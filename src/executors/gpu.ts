import { execFile } from "node:child_process";
import { stat } from "node:fs/promises";
import type { Gpu } from "../shared/pool.ts";

const PROBE_MS = 20_000;

/**
 * Proves that this machine has the devices that its pool names: each is a device file, and the probe, where there is
 * one, ends with 0. Undefined when so, otherwise what is missing. That a program in the sandbox can open them is for the
 * language's self-test to prove.
 */
export async function lacksGpu(gpu: Gpu | undefined): Promise<string | undefined> {
  if (gpu === undefined) return "no gpu is configured for this executor (profile gpu, DOCKET_GPU_DEVICES)";
  for (const device of gpu.devices) {
    const found = await stat(device).catch(() => undefined);
    if (found === undefined) return `there is no ${device} on this machine`;
    if (!found.isCharacterDevice()) return `${device} is no device`;
  }
  const [command, ...args] = gpu.probe ?? [];
  if (command === undefined) return undefined;
  return await new Promise((resolve) => {
    execFile(command, args, { timeout: PROBE_MS }, (error, _stdout, stderr) => {
      const words = stderr.trim() === "" ? (error?.message ?? "") : stderr;
      resolve(error === null ? undefined : `its probe ${command} fails: ${words.trim().slice(0, 300)}`);
    });
  });
}
