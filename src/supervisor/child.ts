import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Watchdog } from "./watchdog.ts";

export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** One running process in a process group of its own. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  /** Undefined while it runs. */
  exit(): ChildExit | undefined;
  /** Signals the process alone; false when it is gone. */
  kill(signal: NodeJS.Signals): boolean;
  /** SIGTERM, and after `graceMs` SIGKILL to its whole group; resolves when it is gone. Safe twice. */
  stop(graceMs: number): Promise<ChildExit>;
}

export interface ChildInput {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly cwd?: string | undefined;
  /** User and group id to run under; only root can set it. */
  readonly uid?: number | undefined;
  readonly onStdout?: ((line: string) => void) | undefined;
  readonly onStderr?: ((line: string) => void) | undefined;
}

/** Starts a process that does not outlive this one. Throws when the program cannot be started at all. */
export async function startChild(watchdog: Watchdog, input: ChildInput): Promise<Child> {
  const started = spawn(input.command, input.args, {
    cwd: input.cwd,
    env: input.env,
    stdio: ["ignore", "pipe", "pipe"],
    // A group of its own: a Ctrl-C in the terminal reaches the supervisor alone, which stops all in order.
    detached: true,
    ...(input.uid === undefined ? {} : { uid: input.uid, gid: input.uid }),
  });
  let exit: ChildExit | undefined;
  const exited = new Promise<ChildExit>((resolve) => {
    started.once("exit", (code, signal) => {
      exit = { code, signal };
      // What it left in its group goes with it.
      killGroup(started.pid ?? 0);
      watchdog.release(started.pid ?? 0);
      resolve(exit);
    });
  });
  const pid = await new Promise<number>((resolve, reject) => {
    started.once("spawn", () => resolve(started.pid ?? 0));
    started.once("error", (error) =>
      reject(new Error(`${input.name} could not be started: ${error.message}`)),
    );
  });
  watchdog.guard(pid);
  createInterface(started.stdout).on("line", (line) => input.onStdout?.(line));
  createInterface(started.stderr).on("line", (line) => input.onStderr?.(line));
  const kill = (signal: NodeJS.Signals): boolean => exit === undefined && started.kill(signal);
  return {
    name: input.name,
    pid,
    exited,
    exit: () => exit,
    kill,
    stop: async (graceMs) => {
      kill("SIGTERM");
      // A stopped process would not see the SIGTERM.
      kill("SIGCONT");
      const hard = setTimeout(() => killGroup(pid), graceMs);
      const how = await exited;
      clearTimeout(hard);
      return how;
    },
  };
}

function killGroup(group: number): void {
  if (group <= 1) return;
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // Nothing left in it.
  }
}

/** "exit code 1" or "signal SIGKILL", for messages. */
export const describeExit = (exit: ChildExit): string =>
  exit.signal === null ? `exit code ${exit.code}` : `signal ${exit.signal}`;
