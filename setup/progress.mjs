// Shows what set-up is doing: one line when a slow step begins, one when it ends, one every few seconds between.
import { spawn } from "node:child_process";

/** Set-up cannot go on; the message says what to do. */
export class SetupError extends Error {}

const REMIND_MS = 5_000;
/** Of a failed step's output: npm says what is wrong at the beginning, pip at the end. */
const KEPT_FIRST = 1_500;
const KEPT_LAST = 1_500;

/** Progress goes to stderr, so that a command's own stdout stays clean. */
export const say = (line) => process.stderr.write(`${line}\n`);

/** Runs a program quietly; throws SetupError with the end of its output when it fails. */
export async function runShown(what, command, args, options = {}) {
  const begun = Date.now();
  const seconds = () => `${((Date.now() - begun) / 1000).toFixed(1)} s`;
  say(`  ${what} ...`);
  const reminder = setInterval(() => say(`  ${what} ... still going, ${seconds()}`), REMIND_MS);
  let first = "";
  let last = "";
  const keep = (chunk) => {
    const text = String(chunk);
    const room = KEPT_FIRST - first.length;
    first += text.slice(0, room);
    last = (last + text.slice(room)).slice(-KEPT_LAST);
  };
  try {
    const code = await new Promise((resolve, reject) => {
      const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
      child.stdout.on("data", keep);
      child.stderr.on("data", keep);
      child.on("error", reject);
      child.on("close", (exit, signal) => resolve(exit ?? signal));
    });
    if (code !== 0) throw new SetupError(`${what} failed (${code}):\n${first}${last}`.trimEnd());
  } catch (error) {
    if (error instanceof SetupError) throw error;
    throw new SetupError(`${what} failed: ${error.message}`);
  } finally {
    clearInterval(reminder);
  }
  say(`  ${what}: done in ${seconds()}`);
}
