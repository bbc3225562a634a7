import { spawn } from "node:child_process";
import { BASE_ENV } from "../languages/findprogram.ts";
import type { Prepared } from "../languages/language.ts";
import { prepare, type PrepareInput } from "./prepare.ts";

/**
 * A process of an executor's that is still root when the executor no longer is: makes what is missing in the
 * background and ends. Reads one JSON line, writes one for each step; ends with its executor.
 * It runs compilers on our own few lines only, never on anybody's program.
 */

const SAID_CHARACTERS = 2_000;

let running: number | undefined;
function stop(): never {
  if (running !== undefined) process.kill(-running, "SIGKILL");
  process.exit(1);
}

/** The executor has gone when its end of the pipe has. */
async function readInput(): Promise<PrepareInput> {
  let text = "";
  return await new Promise((resolve) => {
    process.stdin.on("data", (chunk) => {
      text += String(chunk);
      if (text.endsWith("\n")) resolve(JSON.parse(text) as PrepareInput);
    });
    process.stdin.on("end", stop);
  });
}

async function run({ name, script }: Prepared, folder: string): Promise<void> {
  const child = spawn("/bin/sh", ["-ec", script], {
    cwd: folder,
    env: { ...BASE_ENV, HOME: folder, TMPDIR: folder },
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  running = child.pid;
  let said = "";
  child.stderr.on("data", (chunk) => {
    said = (said + String(chunk)).slice(-SAID_CHARACTERS);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  running = undefined;
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${said.trim()}`);
}

const input = await readInput();
await prepare({ run, onStep: (step) => process.stdout.write(`${JSON.stringify(step)}\n`) }, input);
process.exit(0);
