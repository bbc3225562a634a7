import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

/** A shell that stays root when this process gives that up: for what only the machine itself could do to the sandbox. */
export interface RootShell {
  /** Runs the command to its end; throws unless it exits with 0. */
  run(command: string): Promise<void>;
  close(): Promise<void>;
}

export function openRootShell(): RootShell {
  const shell = spawn("/bin/sh", [], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise<void>((resolve) => shell.once("exit", () => resolve()));
  const lines = createInterface({ input: shell.stdout })[Symbol.asyncIterator]();
  return {
    async run(command) {
      shell.stdin.write(`( ${command} ) >&2; echo "$?"\n`);
      const code = String((await lines.next()).value);
      if (code !== "0") throw new Error(`exit code ${code}: ${command}`);
    },
    async close() {
      shell.stdin.end();
      await ended;
    },
  };
}
