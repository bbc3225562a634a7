import { spawn } from "node:child_process";
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { Clock } from "../shared/clock.ts";

/**
 * By it the executors of one machine take turns at being alone on it: a file in a folder that they share, locked with
 * flock(2), in which whoever holds it writes until when the others are to start nothing. The kernel frees the lock
 * however its holder ends, and what is written runs out.
 */
export interface MachineLock {
  /**
   * Waits for the lock, at most `waitMs`, then asks the others to be quiet for at most `quietMs`. Undefined when it
   * could not be had in time; else the function that lets go.
   */
  take(waitMs: number, quietMs: number): Promise<(() => Promise<void>) | undefined>;
  /** Until when another executor wants to be alone, milliseconds since 1970; 0 when none does. */
  quietUntilMs(): number;
  close(): void;
}

/** Opens the file, made if missing. To be called while still root: the file stays root's, the descriptor is ours. */
export function openMachineLock(path: string, clock: Clock): MachineLock {
  mkdirSync(dirname(path), { recursive: true });
  const fd = openSync(path, "a+", 0o600);
  let mine = false;

  return {
    async take(waitMs, quietMs) {
      // Exit code 1 is the time that ran out. The lock is the open file's, so it stays when flock has gone.
      const code = await flock(fd, ["--exclusive", "--timeout", String(waitMs / 1_000)]);
      if (code === 1) return undefined;
      if (code !== 0) throw new Error(`flock ended with ${code}`);
      mine = true;
      ftruncateSync(fd);
      writeSync(fd, String(clock.now() + quietMs));
      return async () => {
        ftruncateSync(fd);
        mine = false;
        await flock(fd, ["--unlock"]);
      };
    },
    quietUntilMs() {
      if (mine || fstatSync(fd).size === 0) return 0;
      const bytes = Buffer.alloc(20);
      const until = Number(bytes.toString("latin1", 0, readSync(fd, bytes, 0, bytes.length, 0)));
      return Number.isFinite(until) ? until : 0;
    },
    close: () => closeSync(fd),
  };
}

/** Resolves with its exit code. Throws when it cannot be started. */
function flock(fd: number, options: readonly string[]): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn("flock", [...options, "3"], { stdio: ["ignore", "ignore", "inherit", fd] });
    child.once("error", reject);
    child.once("exit", resolve);
  });
}
