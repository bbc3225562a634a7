import { readdirSync, readFileSync } from "node:fs";
import { SandboxFault } from "./sandbox.ts";

/**
 * The wall time of a run as far as the machine could have run it. Whoever looks every few milliseconds and finds that
 * a second has passed was not there meanwhile: launcher stopped, machine asleep or taken away by its host.
 */
export interface WallTime {
  /** To be called at every look. */
  tick(): void;
  /** What was counted so far is not the program's. */
  startOver(): void;
  ms(): number;
  /**
   * Whether it is over the limit. Only what slept is: what waited for a CPU meanwhile is given that time, too, up to
   * `MOST_STRETCH` times the limit; beyond that the machine is too busy to say anything of the program.
   */
  state(): "within" | "over" | "tooBusy";
}

/** What counts of the time between two looks at most, milliseconds. */
const MOST_GAP_MS = 200;
const MOST_STRETCH = 2;

export const tooBusy = (): SandboxFault =>
  new SandboxFault("the machine is too busy: the program waited for a CPU most of its time", {
    shared: true,
  });

/** `runDelayMs` is asked when the limit has been reached. */
export function createWallTime(
  deps: { readonly monotonicMs: () => number; readonly runDelayMs: () => number },
  limitMs: number,
): WallTime {
  const { monotonicMs } = deps;
  let lastMs = monotonicMs();
  let countedMs = 0;
  let allowedMs = limitMs;
  return {
    tick() {
      const nowMs = monotonicMs();
      countedMs += Math.min(MOST_GAP_MS, nowMs - lastMs);
      lastMs = nowMs;
    },
    startOver() {
      countedMs = 0;
    },
    ms: () => countedMs,
    state() {
      if (countedMs <= allowedMs) return "within";
      allowedMs = limitMs + deps.runDelayMs();
      if (countedMs > allowedMs) return "over";
      return countedMs > limitMs * MOST_STRETCH ? "tooBusy" : "within";
    },
  };
}

/**
 * How long processes that could have run had to wait for a CPU, milliseconds: that of the thread that waited longest.
 * Threads that have ended are not counted; 0 on a kernel that does not keep it (CONFIG_SCHED_INFO).
 */
export function runDelayMs(pids: readonly number[]): number {
  let longestNs = 0;
  for (const pid of pids) {
    for (const thread of threadsOf(pid)) {
      // Time on the CPU, time waiting for one (both in ns), number of turns.
      const [, waitedNs] = read(`/proc/${pid}/task/${thread}/schedstat`).split(" ");
      longestNs = Math.max(longestNs, Number(waitedNs ?? 0));
    }
  }
  return longestNs / 1e6;
}

function threadsOf(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Ended since we looked.
    return "";
  }
}
