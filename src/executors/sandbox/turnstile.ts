import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../shared/clock.ts";
import { unlessAborted } from "../../shared/unlessaborted.ts";
import type { MachineLock } from "../machinelock.ts";
import type { RunRequest, RunResult, Sandbox } from "./sandbox.ts";

/** A sandbox of which somebody can be the only user for a while. */
export interface Turnstile extends Sandbox {
  /**
   * Holds back new runs, here and in the other executors of this machine, waits for those under way to end (at most
   * `ALONE_WAIT_MS`; what is still running then goes on), and does `action` with the sandbox to itself. `quietMs` is
   * how long that will take at most. Undefined when the machine could not be had: then `action` was not called. Nor is it
   * when the signal aborts before: then its reason is thrown at once.
   */
  alone<Value>(
    quietMs: number,
    action: (sandbox: Pick<Sandbox, "run">) => Promise<Value>,
    signal: AbortSignal,
  ): Promise<Value | undefined>;
}

/** How long it waits for others that are alone, and then for runs that are under way, milliseconds each. */
const ALONE_WAIT_MS = 10_000;
/** How often it is looked whether another executor is alone still, milliseconds. */
const LOOK_MS = 20;
const CANCELLED: RunResult = { status: { type: "cancelled" }, cpuMs: 0, wallMs: 0, memoryKiB: 0 };

/** `lock`: undefined where no other executor is on this machine. */
export function createTurnstile(deps: {
  readonly sandbox: Sandbox;
  readonly lock: MachineLock | undefined;
  readonly clock: Clock;
}): Turnstile {
  const { sandbox, lock, clock } = deps;
  let running = 0;
  let quiet: PromiseWithResolvers<void> | undefined;
  /** Settles when nobody in this process is alone; each one who wants to be waits for the one before. */
  let open: Promise<void> = Promise.resolve();
  let shut = false;
  const isShut = (): boolean => shut;
  const isQuietTime = (): boolean => lock !== undefined && lock.quietUntilMs() > clock.now();

  async function pass(signal: AbortSignal): Promise<void> {
    while (isShut() && !signal.aborted) await Promise.race([open, aborted(signal)]);
    while (isQuietTime() && !signal.aborted) await sleep(LOOK_MS);
  }

  async function run(request: RunRequest, signal: AbortSignal): Promise<RunResult> {
    await pass(signal);
    if (signal.aborted) return CANCELLED;
    running += 1;
    try {
      return await sandbox.run(request, signal);
    } finally {
      running -= 1;
      if (running === 0) quiet?.resolve();
    }
  }

  async function alone<Value>(
    quietMs: number,
    action: (sandbox: Pick<Sandbox, "run">) => Promise<Value>,
    signal: AbortSignal,
  ): Promise<Value | undefined> {
    const release = await lock?.take(ALONE_WAIT_MS, ALONE_WAIT_MS + quietMs, signal);
    if (lock !== undefined && release === undefined) return undefined;
    shut = true;
    try {
      if (running > 0) {
        quiet = Promise.withResolvers();
        const waited = new AbortController();
        const either = AbortSignal.any([waited.signal, signal]);
        await Promise.race([
          quiet.promise,
          sleep(ALONE_WAIT_MS, undefined, { signal: either }).catch(() => {}),
        ]);
        waited.abort();
      }
      signal.throwIfAborted();
      return await action(sandbox);
    } finally {
      shut = false;
      await release?.();
    }
  }

  return {
    run,
    remove: (directory) => sandbox.remove(directory),
    async alone(quietMs, action, signal) {
      const before = open;
      const done = Promise.withResolvers<void>();
      open = before.then(() => done.promise);
      try {
        await unlessAborted(before, signal);
        return await alone(quietMs, action, signal);
      } finally {
        done.resolve();
      }
    },
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
