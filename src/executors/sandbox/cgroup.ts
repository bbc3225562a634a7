import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

/** The control group of one run: its limits and its accounts. Made before the run, removed after it. */
export interface RunGroup {
  /** A process joins by writing its pid into each of these. */
  readonly procsFiles: readonly string[];
  /** File with the CPU time used so far; `parseCpu` reads it. World-readable. */
  readonly cpuFile: string;
  /** File with the memory in use now, bytes. World-readable. */
  readonly memoryFile: string;
  /** File with the numbers of its processes. World-readable. */
  readonly procsFile: string;
  limit(limits: { readonly memoryKiB: number; readonly processes: number }): void;
  /** CPU time of all processes that were ever in the group, nanoseconds. */
  cpuNs(): number;
  /** Largest memory use so far, KiB. */
  peakKiB(): number;
  /** How many processes the kernel has killed for want of memory, children included. */
  oomKills(): number;
  /** Whether memory use has ever been up against the group's own limit. */
  reachedMemoryLimit(): boolean;
  /** Whether a fork was refused by another limit than the group's own: that of our container, say. */
  lacksProcesses(): boolean;
  isEmpty(): boolean;
  /** SIGKILL for every process in the group, stopped ones too. */
  kill(): void;
  /** Only when empty; throws otherwise. */
  remove(): void;
}

export interface Cgroups {
  readonly version: "v1" | "v2";
  create(name: string): RunGroup;
  /** Kills what is left in groups of an earlier life of this executor, and removes them. */
  sweep(): Promise<void>;
  /** Removes the executor's own parent groups. */
  close(): void;
}

/** The weight of a group that nobody has set. */
export const EVERYBODYS_WEIGHT = 100;

/** Cgroup names may hold an executor's id as it is: it is [a-z0-9_-]. */
export const groupPrefix = (executor: string): string => `docket-${executor}`;

/**
 * A file that is read every few milliseconds: kept open, each read is one system call instead of five. The kernel makes
 * the text anew for a read at its beginning.
 */
export interface Watched {
  text(): string;
  /** Safe twice. */
  close(): void;
}

const LARGEST = Buffer.alloc(4_096);

export function watchFile(path: string): Watched {
  let fd: number | undefined;
  return {
    text() {
      fd ??= openSync(path, "r");
      return LARGEST.toString("latin1", 0, readSync(fd, LARGEST, 0, LARGEST.length, 0));
    },
    close() {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}

export const readNumber = (path: string): number => Number(readFileSync(path, "utf8"));

/** Value of `key` in a flat keyed file such as cpu.stat; 0 when it is not there. */
export function keyed(text: string, key: string): number {
  for (const line of text.split("\n")) {
    if (line.startsWith(`${key} `)) return Number(line.slice(key.length + 1));
  }
  return 0;
}

/**
 * Whether a group counts refused forks although it never had as many processes as it may. So do cgroup v1 and kernels
 * before 6.10, which count where the fork was; newer ones count where the limit is. Kernels before 6.1 keep no peak.
 */
export function forksRefusedAbove(dir: string): boolean {
  const peak = join(dir, "pids.peak");
  if (!existsSync(peak) || refusedForks(dir) === 0) return false;
  return readNumber(peak) < readNumber(join(dir, "pids.max"));
}

const refusedForks = (dir: string): number => keyed(readFileSync(join(dir, "pids.events"), "utf8"), "max");

export function pidsIn(procsFile: string): number[] {
  return readFileSync(procsFile, "utf8").split("\n").filter(Boolean).map(Number);
}

export function killAll(procsFile: string): void {
  for (const pid of pidsIn(procsFile)) {
    // A process that our PID namespace does not show reads as 0, and a signal to 0 would hit our own group.
    if (pid === 0) continue;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Gone since we looked.
    }
  }
}

export function ensureGroup(dir: string): void {
  if (!existsSync(dir)) mkdirSync(dir);
}

export function write(path: string, value: string | number): void {
  writeFileSync(path, String(value));
}

/** Kills and removes the child groups of `parent`, left by an earlier life. Waits up to a second for each. */
export async function sweepGroups(parent: string): Promise<void> {
  if (!existsSync(parent)) return;
  for (const entry of readdirSync(parent, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const dir = join(parent, entry.name);
    for (let tries = 0; ; tries++) {
      killAll(join(dir, "cgroup.procs"));
      try {
        rmdirSync(dir);
        break;
      } catch (error) {
        if (tries === 200)
          throw new Error(`a control group of an earlier run cannot be removed: ${dir}`, { cause: error });
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }
}

/** Groups without a process for so long belong to no executor that is just starting, milliseconds. */
const ABANDONED_MS = 60_000;

/**
 * Removes what executors under other names left beside `own` when they were killed. Those alive always have a prepared
 * shell in a group of theirs, so theirs are let be.
 */
export function removeAbandoned(own: string, nowMs: number): void {
  const base = dirname(own);
  for (const { name } of readdirSync(base, { withFileTypes: true })) {
    const dir = join(base, name);
    if (!name.startsWith(groupPrefix("")) || dir === own) continue;
    try {
      if (nowMs - statSync(dir).mtimeMs < ABANDONED_MS) continue;
      const groups = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
      const children = groups.map((group) => join(dir, group.name));
      if (children.some((child) => pidsIn(join(child, "cgroup.procs")).length > 0)) continue;
      for (const child of [...children, dir]) rmdirSync(child);
    } catch {
      // Somebody else was quicker, or it is in use after all.
    }
  }
}
