import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, readSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Entered, ENTERED_BYTES, readEntered } from "./entry.ts";
import type { Cgroups, RunGroup } from "./cgroup.ts";

/**
 * A shell that already lives in a control group of its own and waits for the word to turn into bubblewrap. Made ahead
 * of the run, it takes the process start and the move into the group off the run's way.
 */
export interface PreparedShell {
  readonly group: RunGroup;
  readonly process: ChildProcess;
  /** Resolves with the exit code or signal when the process has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Runs `command` (shell text that ends in an exec) in place of the shell. */
  go(command: string): void;
  /** What bubblewrap wrote to its status descriptor. */
  status(): string;
  /** What the entry program wrote to its own (entry.ts). */
  entered(): Entered | undefined;
  /** Removes group and folder, once every process of the group has gone. */
  dispose(): Promise<void>;
}

export const STATUS_FD = 5;
/** Ten milliseconds apart. */
const REMOVAL_TRIES = 500;

/** `name` is unique in the life of the launcher; `dir` a private folder. */
export function prepareShell(cgroups: Cgroups, dir: string, name: string): PreparedShell {
  const group = cgroups.create(name);
  const folder = join(dir, name);
  mkdirSync(folder, { mode: 0o700 });
  const command = join(folder, "command");
  const statusFile = join(folder, "status");
  const status = openSync(statusFile, "w+");
  const entry = openSync(join(folder, "entry"), "w+");
  // exec replaces the shell, so the pid, its group and its parent-death signal stay the same process.
  const enter = group.procsFiles.map((file) => `echo $$ >'${file}'`).join(" && ");
  // The fourth is ENTRY_FD, the sixth STATUS_FD; between them the run puts its filter.
  const child = spawn("/bin/sh", ["-c", `${enter} && read -r _ && . '${command}'`], {
    stdio: ["pipe", "ignore", "inherit", entry, "ignore", status],
    env: {},
    cwd: "/",
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.once("error", reject);
  });
  // A failure is reported by whoever takes the shell.
  ended.catch(() => {});
  child.stdin?.on("error", () => {});
  return {
    group,
    process: child,
    ended,
    go(text) {
      writeFileSync(command, text);
      child.stdin?.end("go\n");
    },
    status: () => readFileSync(statusFile, "utf8"),
    entered: () => {
      const told = Buffer.alloc(ENTERED_BYTES);
      return readEntered(told.subarray(0, readSync(entry, told, 0, told.length, 0)));
    },
    async dispose() {
      closeSync(status);
      closeSync(entry);
      rmSync(folder, { recursive: true, force: true });
      // The kernel may hold a group for a moment after its last process.
      for (let tries = 0; ; tries++) {
        try {
          group.remove();
          return;
        } catch (error) {
          if (tries === REMOVAL_TRIES) throw error;
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }
    },
  };
}
