import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startChild } from "../../src/supervisor/child.ts";
import { startWatchdog } from "../../src/supervisor/watchdog.ts";
import { isAlive, until } from "../support/processes.ts";

const SUPERVISOR = join(import.meta.dirname, "../../src/supervisor");

/** A process that starts two children, each with a child of its own, and says their ids. */
const PARENT = `
import { startChild } from ${JSON.stringify(join(SUPERVISOR, "child.ts"))};
import { startWatchdog } from ${JSON.stringify(join(SUPERVISOR, "watchdog.ts"))};
const watchdog = startWatchdog();
for (const name of ["a", "b"]) {
  const child = await startChild(watchdog, {
    name, command: "/bin/sh", args: ["-c", "trap '' TERM; sleep 1000 & echo $!; wait"],
    onStdout: (line) => console.log(line),
  });
  console.log(child.pid);
}
setInterval(() => {}, 1000);
`;

test("what was started ends with its parent's SIGKILL, grandchildren too", async () => {
  const parent = spawn(process.execPath, ["--input-type=module-typescript", "-e", PARENT], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const pids: number[] = [];
  for await (const line of createInterface(parent.stdout)) {
    pids.push(Number(line));
    if (pids.length === 4) break;
  }
  for (const pid of pids) expect(await isAlive(pid)).toBe(true);
  parent.kill("SIGKILL");
  for (const pid of pids) await until(`process ${pid} is gone`, async () => !(await isAlive(pid)), 5_000);
});

test("a process that ended takes what it left in its group with it", async () => {
  const lines: string[] = [];
  const child = await startChild(startWatchdog(), {
    name: "leaver",
    command: "/bin/sh",
    args: ["-c", "sleep 1000 & echo $!; exit 3"],
    onStdout: (line) => lines.push(line),
  });
  expect(await child.exited).toEqual({ code: 3, signal: null });
  const left = await until("its child's id", () => lines[0]);
  await until("the child it left is gone", async () => !(await isAlive(Number(left))), 5_000);
});

test("stop is SIGTERM first, SIGKILL after the grace time, and safe twice", async () => {
  const polite = await startChild(startWatchdog(), { name: "polite", command: "/bin/sleep", args: ["1000"] });
  expect(await polite.stop(10_000)).toEqual({ code: null, signal: "SIGTERM" });
  const lines: string[] = [];
  const stubborn = await startChild(startWatchdog(), {
    name: "stubborn",
    command: "/bin/sh",
    args: ["-c", "trap '' TERM; echo ready; while :; do sleep 1; done"],
    onStdout: (line) => lines.push(line),
  });
  await until("it ignores SIGTERM", () => lines[0] === "ready");
  const [first, second] = await Promise.all([stubborn.stop(100), stubborn.stop(100)]);
  expect([first.signal, second.signal]).toEqual(["SIGKILL", "SIGKILL"]);
});

test("a program that does not exist is an error that names it", async () => {
  const start = startChild(startWatchdog(), { name: "mongod", command: "/nowhere/mongod", args: [] });
  await expect(start).rejects.toThrow(/mongod could not be started.*ENOENT/);
});
