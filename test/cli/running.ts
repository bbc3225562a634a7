import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

export interface CliEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCli {
  readonly child: ChildProcess;
  readonly end: Promise<CliEnd>;
  /** Resolves when its output so far contains `text`. */
  said(text: string): Promise<void>;
}

const MAIN = join(import.meta.dirname, "../../src/cli/main.ts");

/** Runs `docket ARGS` as the process that users run. DOCKET_* of the test's own environment do not reach it. */
export function startCli(args: readonly string[], env: NodeJS.ProcessEnv): RunningCli {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], NO_COLOR: "1", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const waiting: { text: string; resolve: () => void }[] = [];
  const look = (): void => {
    for (const { text, resolve } of waiting) if ((stdout + stderr).includes(text)) resolve();
  };
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    look();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
    look();
  });
  const end = new Promise<CliEnd>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, stdout, stderr }));
  });
  return {
    child,
    end,
    said: (text) =>
      new Promise((resolve, reject) => {
        waiting.push({ text, resolve });
        look();
        void end.then(({ code }) =>
          reject(new Error(`ended with ${code} before "${text}":\n${stdout}${stderr}`)),
        );
      }),
  };
}

/** The last line of what a command printed, as JSON. */
export const lastJson = (end: CliEnd): unknown => JSON.parse(end.stdout.trim().split("\n").at(-1) ?? "");
