// One set-up at a time per checkout; the lock of a process that died does not hold.
import { closeSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { say } from "./progress.mjs";

const LOOK_MS = 200;
const UNSIGNED_MS = 5_000;

const alive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
};

/** Takes the lock file; false when a living process holds it. */
function take(path) {
  try {
    const file = openSync(path, "wx");
    writeSync(file, String(process.pid));
    closeSync(file);
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  let holder;
  let ageMs;
  try {
    holder = Number(readFileSync(path, "utf8"));
    ageMs = Date.now() - statSync(path).mtimeMs;
  } catch {
    return false;
  }
  // 0: its maker is between making the file and writing its id, or died there.
  if (holder === 0 ? ageMs > UNSIGNED_MS : !alive(holder)) {
    // Moved away first: of two that find the same dead holder only one succeeds.
    const dead = `${path}.${process.pid}`;
    try {
      renameSync(path, dead);
      rmSync(dead);
    } catch {
      // The other one was faster.
    }
    return take(path);
  }
  return false;
}

export async function withLock(path, work) {
  let told = false;
  while (!take(path)) {
    if (!told) say("  Another set-up of this checkout is running; waiting for it ...");
    told = true;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}
