import { existsSync, mkdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import {
  type Cgroups,
  EVERYBODYS_WEIGHT,
  ensureGroup,
  forksRefusedAbove,
  groupPrefix,
  keyed,
  killAll,
  pidsIn,
  readNumber,
  removeAbandoned,
  type RunGroup,
  sweepGroups,
  watchFile,
  write,
} from "./cgroup.ts";

const NEEDED = ["memory", "pids"] as const;

/** The unified hierarchy. Groups lie directly below its top (or the container's), as a container engine puts its own. */
export function cgroupV2(executor: string, mount: string, cpuWeight: number): Cgroups {
  const controllers = readFileSync(join(mount, "cgroup.controllers"), "utf8").trim().split(" ");
  for (const needed of NEEDED) {
    if (!controllers.includes(needed)) {
      throw new Error(`the cgroup v2 hierarchy at ${mount} has no ${needed} controller`);
    }
  }
  const weighs = cpuWeight !== EVERYBODYS_WEIGHT && controllers.includes("cpu");
  enableControllers(mount, weighs ? [...NEEDED, "cpu"] : NEEDED);
  const parent = join(mount, groupPrefix(executor));
  ensureGroup(parent);
  enableControllers(parent, NEEDED);
  if (weighs) write(join(parent, "cpu.weight"), cpuWeight);
  return {
    version: "v2",
    create(name) {
      const dir = join(parent, name);
      ensureGroup(dir);
      return runGroup(dir, mount);
    },
    async sweep() {
      await sweepGroups(parent);
      removeAbandoned(parent, Date.now());
    },
    close: () => rmdirSync(parent),
  };
}

/**
 * Lets the children of `dir` have what the controllers limit. In a container `dir` is a group with processes of its
 * own in it, and a group with processes cannot hand controllers on: those move to a leaf first.
 */
function enableControllers(dir: string, wanted: readonly string[]): void {
  const subtree = join(dir, "cgroup.subtree_control");
  const enabled = readFileSync(subtree, "utf8").trim().split(" ");
  if (wanted.every((name) => enabled.includes(name))) return;
  const enable = wanted.map((name) => `+${name}`).join(" ");
  try {
    write(subtree, enable);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EBUSY")) throw error;
    const leaf = join(dir, "docket-host");
    if (!existsSync(leaf)) mkdirSync(leaf);
    for (const pid of pidsIn(join(dir, "cgroup.procs"))) {
      try {
        write(join(leaf, "cgroup.procs"), pid);
      } catch {
        // Ended since we looked, or a kernel thread that stays where it is.
      }
    }
    write(subtree, enable);
  }
}

/** Forks refused by the limit of this very group; 0 for the root of all, which has none. */
function refusedIn(dir: string): number {
  const file = join(dir, "pids.events.local");
  return existsSync(file) ? keyed(readFileSync(file, "utf8"), "max") : 0;
}

/** `container`: the group above all of ours. */
function runGroup(dir: string, container: string): RunGroup {
  const refusedBefore = refusedIn(container);
  const cpuFile = join(dir, "cpu.stat");
  const cpu = watchFile(cpuFile);
  const events = watchFile(join(dir, "memory.events"));
  const procs = join(dir, "cgroup.procs");
  const peak = join(dir, "memory.peak");
  const killFile = join(dir, "cgroup.kill");
  const memoryFile = join(dir, "memory.current");
  // Kernels before 5.19 keep no peak: then the largest value seen while polling stands in.
  const hasPeak = existsSync(peak);
  let seenBytes = 0;
  return {
    procsFiles: [procs],
    cpuFile,
    memoryFile,
    procsFile: procs,
    limit({ memoryKiB, processes }) {
      write(join(dir, "memory.max"), memoryKiB * 1024);
      const swap = join(dir, "memory.swap.max");
      if (existsSync(swap)) write(swap, 0);
      // One process out of memory ends the whole run.
      write(join(dir, "memory.oom.group"), 1);
      write(join(dir, "pids.max"), processes);
    },
    cpuNs() {
      if (!hasPeak) seenBytes = Math.max(seenBytes, readNumber(memoryFile));
      return parseCpuStat(cpu.text());
    },
    peakKiB: () => Math.round((hasPeak ? readNumber(peak) : seenBytes) / 1024),
    oomKills: () => keyed(events.text(), "oom_kill"),
    reachedMemoryLimit: () => keyed(events.text(), "oom") > 0,
    lacksProcesses: () => forksRefusedAbove(dir) || refusedIn(container) > refusedBefore,
    // cgroup.procs leaves out processes that are dying but still there.
    isEmpty: () => keyed(readFileSync(join(dir, "cgroup.events"), "utf8"), "populated") === 0,
    kill() {
      // Kernels before 5.14 have no cgroup.kill.
      if (existsSync(killFile)) write(killFile, 1);
      else killAll(procs);
    },
    remove() {
      cpu.close();
      events.close();
      rmdirSync(dir);
    },
  };
}

/** cpu.stat counts in microseconds. */
export const parseCpuStat = (text: string): number => keyed(text, "usage_usec") * 1000;
