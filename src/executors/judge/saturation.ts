import { readFileSync } from "node:fs";

/** What the kernel counts of processes that wait for this machine, in milliseconds since it started. */
export interface MachineTimes {
  readonly atMs: number;
  /** Time in which at least one process waited for a CPU, for a disk, or for memory (pressure stall information). */
  readonly cpuWaitMs: number;
  readonly ioWaitMs: number;
  readonly memoryWaitMs: number;
  /** Time that the host of a virtual machine took from its CPUs, all together, and the time that they all had. */
  readonly stolenMs: number;
  readonly totalMs: number;
}

/** From these shares of a time on, the machine was saturated in it. */
const SATURATED = { cpuWait: 0.5, ioWait: 0.5, memoryWait: 0.1, stolen: 0.05 };

/** Whether measuring between the two was done on a machine that had not the time for it. */
export function wasSaturated(before: MachineTimes, after: MachineTimes): boolean {
  const elapsedMs = after.atMs - before.atMs;
  const totalMs = after.totalMs - before.totalMs;
  return (
    after.cpuWaitMs - before.cpuWaitMs > SATURATED.cpuWait * elapsedMs ||
    after.ioWaitMs - before.ioWaitMs > SATURATED.ioWait * elapsedMs ||
    after.memoryWaitMs - before.memoryWaitMs > SATURATED.memoryWait * elapsedMs ||
    after.stolenMs - before.stolenMs > SATURATED.stolen * totalMs
  );
}

/** Noughts where the kernel does not keep them. */
export function readMachineTimes(monotonicMs: () => number): MachineTimes {
  const cpu = /^cpu\s+(.*)$/m.exec(read("/proc/stat"))?.[1]?.split(" ").map(Number) ?? [];
  // user, nice, system, idle, iowait, irq, softirq, steal, in hundredths of a second; guest time is in user.
  const ticks = cpu.slice(0, 8);
  return {
    atMs: monotonicMs(),
    cpuWaitMs: readWaitMs("cpu"),
    ioWaitMs: readWaitMs("io"),
    memoryWaitMs: readWaitMs("memory"),
    stolenMs: (ticks[7] ?? 0) * 10,
    totalMs: ticks.reduce((sum, value) => sum + value, 0) * 10,
  };
}

/** Microseconds in the file. */
const readWaitMs = (what: string): number =>
  Number(/^some .*total=(\d+)/.exec(read(`/proc/pressure/${what}`))?.[1] ?? 0) / 1_000;

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
