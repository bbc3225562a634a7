import { spawn } from "node:child_process";
import { closeSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import type { Clock } from "../shared/clock.ts";

/**
 * By it the executors of one machine take turns at being alone on it: a file in a folder that they share, locked with
 * flock(2), in which whoever holds it writes until when the others are to start nothing. The kernel frees the lock
 * however its holder ends, and what is written runs out. The file also keeps how much of the machine's time may still go
 * into that: each executor minds its own share of its own time, and that of many together must not be all of it.
 */
export interface MachineLock {
  /**
   * Waits for the lock, at most `waitMs`, then asks the others to be quiet for at most `quietMs`. Undefined when it
   * could not be had in time, or has been had too much; else the function that lets go. Throws the signal's reason when
   * it aborts before, and holds nothing then.
   */
  take(waitMs: number, quietMs: number, signal: AbortSignal): Promise<(() => Promise<void>) | undefined>;
  /** Until when another executor wants to be alone, milliseconds since 1970; 0 when none does. */
  quietUntilMs(): number;
  close(): void;
}

/** Of all time at most so much goes into somebody's being alone. */
export const ALONE_SHARE = 0.2;
/** So much of it can be saved up, milliseconds. */
export const MOST_SAVED_MS = 60_000;

const Ledger = z.object({
  quietUntilMs: z.number(),
  /** What may still be used, as of `countedAtMs`, milliseconds since 1970. */
  savedMs: z.number(),
  countedAtMs: z.number(),
});
type Ledger = z.infer<typeof Ledger>;
const MOST_BYTES = 256;

/** Opens the file, made if missing. To be called while still root: the file stays root's, the descriptor is ours. */
export function openMachineLock(path: string, clock: Clock): MachineLock {
  mkdirSync(dirname(path), { recursive: true });
  const fd = openSync(path, "a+", 0o600);
  let mine = false;

  /** A file that is empty, or that somebody else has written into, says nothing. */
  const read = (): Ledger => {
    const bytes = Buffer.alloc(MOST_BYTES);
    const text = bytes.toString("latin1", 0, readSync(fd, bytes, 0, bytes.length, 0));
    const fresh = { quietUntilMs: 0, savedMs: MOST_SAVED_MS / 2, countedAtMs: clock.now() };
    try {
      return Ledger.catch(fresh).parse(JSON.parse(text));
    } catch {
      return fresh;
    }
  };
  const write = (ledger: Ledger): void => {
    ftruncateSync(fd);
    writeSync(fd, JSON.stringify(ledger));
  };
  const saved = ({ savedMs, countedAtMs }: Ledger): number =>
    Math.min(MOST_SAVED_MS, savedMs + Math.max(0, clock.now() - countedAtMs) * ALONE_SHARE);

  return {
    async take(waitMs, quietMs, signal) {
      signal.throwIfAborted();
      // Exit code 1 is the time that ran out. The lock is the open file's, so it stays when flock has gone.
      const code = await flock(fd, ["--exclusive", "--timeout", String(waitMs / 1_000)], signal);
      if (signal.aborted) {
        // It may have had it just before.
        await flock(fd, ["--unlock"]);
        throw signal.reason;
      }
      if (code === 1) return undefined;
      if (code !== 0) throw new Error(`flock ended with ${code}`);
      const takenAtMs = clock.now();
      const savedMs = saved(read());
      if (savedMs <= 0) {
        await flock(fd, ["--unlock"]);
        return undefined;
      }
      mine = true;
      write({ quietUntilMs: takenAtMs + quietMs, savedMs, countedAtMs: takenAtMs });
      return async () => {
        const now = clock.now();
        write({ quietUntilMs: 0, savedMs: saved(read()) - (now - takenAtMs), countedAtMs: now });
        mine = false;
        await flock(fd, ["--unlock"]);
      };
    },
    quietUntilMs: () => (mine ? 0 : read().quietUntilMs),
    close: () => closeSync(fd),
  };
}

/** Resolves with its exit code once it is gone; the signal kills it. Throws when it cannot be started. */
async function flock(fd: number, options: readonly string[], signal?: AbortSignal): Promise<number | null> {
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  const child = spawn("flock", [...options, "3"], { stdio: ["ignore", "ignore", "inherit", fd] });
  child.once("error", reject);
  child.once("exit", resolve);
  const kill = (): void => void child.kill("SIGKILL");
  signal?.addEventListener("abort", kill, { once: true });
  try {
    return await promise;
  } finally {
    signal?.removeEventListener("abort", kill);
  }
}
