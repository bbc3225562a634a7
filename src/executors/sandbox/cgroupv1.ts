import { existsSync, rmdirSync } from "node:fs";
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
import type { CgroupMounts } from "./cgroupmounts.ts";

/** cpu.shares of a group that nobody has set. */
const SHARES = 1024;

/** Memory, pids and cpuacct, each a hierarchy of its own (or several in one mount). */
export function cgroupV1(executor: string, mounts: CgroupMounts, cpuWeight: number): Cgroups {
  const parentOf = (controller: string): string =>
    join(mounts.v1.get(controller) ?? "/sys/fs/cgroup", groupPrefix(executor));
  const memory = parentOf("memory");
  const pids = parentOf("pids");
  const cpu = parentOf("cpuacct");
  // Controllers can share a mount; a directory is made and removed once.
  const parents = [...new Set([memory, pids, cpu])];
  for (const parent of parents) ensureGroup(parent);
  const shares = cpuWeight === EVERYBODYS_WEIGHT ? undefined : parentOf("cpu");
  // All programs of an executor together: runs need no groups of their own there.
  const sharing = shares === undefined || parents.includes(shares) ? [] : [shares];
  if (shares !== undefined) {
    for (const group of sharing) ensureGroup(group);
    write(join(shares, "cpu.shares"), Math.max(2, Math.round((cpuWeight * SHARES) / EVERYBODYS_WEIGHT)));
  }

  return {
    version: "v1",
    create(name) {
      for (const parent of parents) ensureGroup(join(parent, name));
      return runGroup(
        parents,
        { memory: join(memory, name), pids: join(pids, name), cpu: join(cpu, name) },
        { name, sharing },
      );
    },
    async sweep() {
      for (const parent of [...parents, ...sharing]) {
        await sweepGroups(parent);
        removeAbandoned(parent, Date.now());
      }
    },
    close() {
      for (const parent of [...parents, ...sharing]) rmdirSync(parent);
    },
  };
}

/** The largest piece of memory for want of which the kernel kills is 8 pages; peaks are counted a little loosely. */
const OOM_SLACK_BYTES = 256 * 1024;

function runGroup(
  parents: readonly string[],
  dirs: { readonly memory: string; readonly pids: string; readonly cpu: string },
  { name, sharing }: { readonly name: string; readonly sharing: readonly string[] },
): RunGroup {
  const all = parents.map((parent) => join(parent, name));
  const procs = join(dirs.pids, "cgroup.procs");
  const oomControl = watchFile(join(dirs.memory, "memory.oom_control"));
  const cpuFile = join(dirs.cpu, "cpuacct.usage");
  const cpu = watchFile(cpuFile);
  return {
    procsFiles: [...all, ...sharing].map((dir) => join(dir, "cgroup.procs")),
    cpuFile,
    memoryFile: join(dirs.memory, "memory.usage_in_bytes"),
    procsFile: procs,
    limit({ memoryKiB, processes }) {
      const limit = join(dirs.memory, "memory.limit_in_bytes");
      const withSwap = join(dirs.memory, "memory.memsw.limit_in_bytes");
      const bytes = memoryKiB * 1024;
      if (!existsSync(withSwap)) {
        // The kernel does not account swap: then nothing of the group may be swapped out.
        write(limit, bytes);
        write(join(dirs.memory, "memory.swappiness"), 0);
      } else if (bytes <= readNumber(withSwap)) {
        // The first may never be larger than the second.
        write(limit, bytes);
        write(withSwap, bytes);
      } else {
        write(withSwap, bytes);
        write(limit, bytes);
      }
      write(join(dirs.pids, "pids.max"), processes);
    },
    cpuNs: () => Number(cpu.text()),
    peakKiB: () => Math.round(readNumber(join(dirs.memory, "memory.max_usage_in_bytes")) / 1024),
    oomKills: () => keyed(oomControl.text(), "oom_kill"),
    // Not every kernel counts how often the limit was met (memory.memsw.failcnt).
    reachedMemoryLimit: () => {
      const peak = readNumber(join(dirs.memory, "memory.max_usage_in_bytes"));
      return peak > readNumber(join(dirs.memory, "memory.limit_in_bytes")) - OOM_SLACK_BYTES;
    },
    lacksProcesses: () => forksRefusedAbove(dirs.pids),
    isEmpty: () => pidsIn(procs).length === 0,
    kill: () => killAll(procs),
    remove() {
      oomControl.close();
      cpu.close();
      for (const dir of all) if (existsSync(dir)) rmdirSync(dir);
    },
  };
}
