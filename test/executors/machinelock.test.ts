import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  ALONE_SHARE,
  type MachineLock,
  MOST_SAVED_MS,
  openMachineLock,
} from "../../src/executors/machinelock.ts";
import { systemClock } from "../../src/shared/clock.ts";

const never = new AbortController().signal;
let folder: string;
const opened: MachineLock[] = [];
const open = (): MachineLock => {
  const lock = openMachineLock(join(folder, "made", "alone"), systemClock);
  opened.push(lock);
  return lock;
};
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "docket-lock-"));
});
afterEach(() => {
  for (const lock of opened.splice(0)) lock.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

test("only one executor has it at a time, and the other is told until when to be quiet", async () => {
  const [one, other] = [open(), open()];
  const before = Date.now();
  const release = await one.take(10, 5_000, never);
  if (release === undefined) throw new Error("nobody had it");
  expect(other.quietUntilMs()).toBeGreaterThanOrEqual(before + 5_000);
  expect(one.quietUntilMs()).toBe(0);
  expect(await other.take(10, 5_000, never)).toBeUndefined();

  const waiting = other.take(10_000, 5_000, never);
  await release();
  const second = await waiting;
  expect(second).toBeDefined();
  expect(other.quietUntilMs()).toBe(0);
  expect(one.quietUntilMs()).toBeGreaterThan(Date.now());
  await second?.();
  expect(one.quietUntilMs()).toBe(0);
});

test("one that goes without letting go leaves it free", async () => {
  const [gone, other] = [open(), open()];
  expect(await gone.take(10, 1, never)).toBeDefined();
  opened.shift()?.close();
  expect(await other.take(10_000, 1, never)).toBeDefined();
});

test("one that is stopped while it waits says so at once, and does not have it later", async () => {
  const [one, other, third] = [open(), open(), open()];
  const release = await one.take(10, 5_000, never);
  const stop = new AbortController();
  const waiting = other.take(10_000, 5_000, stop.signal);
  const startedAtMs = performance.now();
  setTimeout(() => stop.abort(new Error("called back")), 100);
  await expect(waiting).rejects.toThrow("called back");
  expect(performance.now() - startedAtMs).toBeLessThan(5_000);
  await release?.();
  expect(await third.take(10_000, 1, never)).toBeDefined();
  await expect(other.take(10_000, 1, stop.signal)).rejects.toThrow("called back");
});

test("what is no time in the file keeps nobody", async () => {
  const lock = open();
  for (const text of ["soon", "{}", '{"quietUntilMs":"later"}', "null"]) {
    writeFileSync(join(folder, "made", "alone"), text);
    expect(lock.quietUntilMs()).toBe(0);
  }
  const release = await lock.take(10_000, 1, never);
  expect(release).toBeDefined();
  await release?.();
});

test("however many executors take it, it is had for a fifth of all time at most", async () => {
  const path = join(folder, "shared");
  let nowMs = 1_000_000;
  const locks = [1, 2, 3].map(() => openMachineLock(path, { now: () => nowMs }));
  opened.push(...locks);
  let heldMs = 0;
  const startedAtMs = nowMs;
  for (let round = 0; round < 8; round++) {
    for (const lock of locks) {
      const release = await lock.take(10_000, 20_000, never);
      nowMs += 20_000;
      if (release === undefined) continue;
      heldMs += 20_000;
      await release();
    }
  }
  expect(heldMs).toBeGreaterThanOrEqual(60_000);
  // What had been saved up at first, and one that began while there was anything left.
  expect(heldMs).toBeLessThanOrEqual((nowMs - startedAtMs) * ALONE_SHARE + MOST_SAVED_MS / 2 + 20_000);
});
