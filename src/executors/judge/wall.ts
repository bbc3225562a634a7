import { readFileSync } from "node:fs";

/**
 * CPU time decides; the wall limit is there to catch sleepers. Generous, since on a loaded machine a program waits for
 * its CPU, and the more so the more of the last ten seconds somebody had to wait (`pressure`, 0 to 1): waiting must not
 * look like sleeping. The server's deadline for a job (judgework.ts) allows for more.
 */
export const wallMsFor = (cpuMs: number, pressure: number): number =>
  (cpuMs * 3 + 2_000) * (1 + 2 * pressure);

/**
 * The kernel's own measure of how much processes of this machine wait for a CPU, 0 to 1 (pressure stall information,
 * "some", average of ten seconds). 0 where the kernel does not keep it.
 */
export function readCpuPressure(): number {
  try {
    const percent = /^some avg10=([\d.]+)/.exec(readFileSync("/proc/pressure/cpu", "utf8"))?.[1];
    return Number(percent ?? 0) / 100;
  } catch {
    return 0;
  }
}
