import { spawn } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { DataFolderTaken, startTicks, takeDataFolder } from "../../src/supervisor/datafolder.ts";
import { takeUidBlock } from "../../src/supervisor/uidblock.ts";
import { isAlive } from "../support/processes.ts";

let base: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "docket-folder-"));
});
afterEach(async () => {
  await rm(base, { recursive: true, force: true });
});

test("a folder has one supervisor at a time, by whatever path", async () => {
  const first = await takeDataFolder(join(base, "data"));
  await symlink(join(base, "data"), join(base, "link"));
  await expect(takeDataFolder(join(base, "link"))).rejects.toThrow(DataFolderTaken);
  await first.release();
  const second = await takeDataFolder(join(base, "link"));
  await second.release();
});

test("what an earlier supervisor left running is ended, and nothing else", async () => {
  const left = spawn("/bin/sleep", ["1000"], { detached: true, stdio: "ignore" });
  const stranger = spawn("/bin/sleep", ["1000"], { detached: true, stdio: "ignore" });
  const leftPid = left.pid ?? 0;
  const strangerPid = stranger.pid ?? 0;
  try {
    const remembered = [
      { pid: leftPid, started: await startTicks(leftPid) },
      // The id of an earlier process, now worn by a stranger.
      { pid: strangerPid, started: "1" },
    ];
    await writeFile(join(base, "processes.json"), JSON.stringify(remembered));
    const folder = await takeDataFolder(base);
    expect(await isAlive(leftPid)).toBe(false);
    expect(await isAlive(strangerPid)).toBe(true);
    await folder.release();
  } finally {
    left.kill("SIGKILL");
    stranger.kill("SIGKILL");
  }
});

test("a damaged list of processes does not keep a stack from starting", async () => {
  await writeFile(join(base, "processes.json"), '[{"pid": 12');
  const folder = await takeDataFolder(base);
  await folder.release();
});

test("two stacks get user ids that do not overlap, and a block comes back to who had it", async () => {
  const first = await takeUidBlock(undefined);
  const second = await takeUidBlock(first.service);
  try {
    const ids = [first, second].map((block) => [
      block.service,
      block.executor(0),
      block.executor(62),
      block.slotBase(0),
      block.slotBase(191),
    ]);
    expect(new Set(ids.flat()).size).toBe(10);
    const [one = [], two = []] = ids.toSorted((a, b) => (a[0] ?? 0) - (b[0] ?? 0));
    expect(Math.max(...one)).toBeLessThan(Math.min(...two));
    second.release();
    const again = await takeUidBlock(second.service);
    expect(again.service).toBe(second.service);
    again.release();
  } finally {
    first.release();
    second.release();
  }
});
