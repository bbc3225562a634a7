import { setTimeout as sleep } from "node:timers/promises";
import { type Child, describeExit } from "./child.ts";

/** What happens to a supervised process, to be said out loud. */
export interface ProcessEvent {
  readonly process: string;
  readonly type: "starting" | "ready" | "died" | "restarting" | "stopped";
  readonly detail?: string;
}

/** A process that is started again when it dies on its own. */
export interface Kept {
  readonly name: string;
  /** Undefined between two lives. */
  pid(): number | undefined;
  /** False when there is nothing to signal. */
  kill(signal: NodeJS.Signals): boolean;
  /** Resolves at once while it is ready, else when its next start is. */
  ready(): Promise<void>;
  /** Ends this life; resolves when the next one is ready. */
  restart(graceMs: number): Promise<void>;
  stop(graceMs: number): Promise<void>;
}

/** Starts the process once; tells `born` as soon as it runs, resolves when it is ready. */
export type StartOnce = (born: (child: Child) => void) => Promise<void>;

/** Delays before the 1st, 2nd, … start in a row that follows a death, milliseconds; the last one stays. */
const BACK_OFF_MS = [250, 500, 1_000, 2_000, 5_000, 10_000];
/** Ready for so long makes the next death the first one again. */
const HEALTHY_MS = 20_000;

/** Starts a process and keeps it. Rejects when its first start fails. `healthyMs`: for tests. */
export async function keepAlive(
  name: string,
  start: StartOnce,
  tell: (event: ProcessEvent) => void,
  healthyMs = HEALTHY_MS,
): Promise<Kept> {
  const now = { child: undefined as Child | undefined, stopping: false, restarting: false, deaths: 0 };
  const backOff = new AbortController();
  let ready = Promise.withResolvers<void>();
  /** Undefined in a life that has not been ready: however long it took, it was no healthy one. */
  let readyAt: number | undefined;
  let healthy = false;
  const unready = (): void => {
    if (readyAt === undefined) return;
    healthy = performance.now() - readyAt > healthyMs;
    readyAt = undefined;
    // Whoever waits already goes on waiting for the same.
    ready = Promise.withResolvers();
  };
  const born = (child: Child): void => {
    now.child = child;
    // `stop` came while it was being started and saw nothing to stop; it waits for its end.
    if (now.stopping) void child.stop(0);
  };

  async function nextLife(): Promise<void> {
    if (healthy) now.deaths = 0;
    const delay = now.restarting ? 0 : (BACK_OFF_MS[Math.min(now.deaths, BACK_OFF_MS.length - 1)] ?? 0);
    now.restarting = false;
    healthy = false;
    now.deaths += 1;
    tell({ process: name, type: "restarting", detail: `in ${delay / 1000} s` });
    await sleep(delay, undefined, { signal: backOff.signal }).catch(() => {});
    if (now.stopping) return;
    try {
      await start(born);
      readyAt = performance.now();
      tell({ process: name, type: "ready" });
      ready.resolve();
    } catch (error) {
      if (now.stopping) return;
      tell({ process: name, type: "died", detail: error instanceof Error ? error.message : String(error) });
    }
  }

  async function live(): Promise<void> {
    for (;;) {
      const exit = await now.child?.exited;
      if (now.stopping) return;
      if (exit !== undefined && now.child !== undefined) {
        now.child = undefined;
        unready();
        if (!now.restarting) {
          tell({ process: name, type: "died", detail: describeExit(exit) });
        }
      }
      await nextLife();
    }
  }

  tell({ process: name, type: "starting" });
  await start(born);
  readyAt = performance.now();
  tell({ process: name, type: "ready" });
  ready.resolve();
  const lives = live();

  return {
    name,
    pid: () => now.child?.pid,
    kill: (signal) => now.child?.kill(signal) ?? false,
    ready: async () => await ready.promise,
    restart: async (graceMs) => {
      if (now.child !== undefined) {
        now.restarting = true;
        unready();
        await now.child.stop(graceMs);
      }
      await ready.promise;
    },
    stop: async (graceMs) => {
      now.stopping = true;
      backOff.abort();
      await now.child?.stop(graceMs);
      await lives;
      tell({ process: name, type: "stopped" });
    },
  };
}
