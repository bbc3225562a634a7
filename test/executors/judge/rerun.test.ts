import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createReruns, measureReruns } from "../../../src/executors/judge/rerun.ts";
import type { FinishedRun } from "../../../src/executors/judge/run.ts";
import { ALONE_SHARE } from "../../../src/executors/machinelock.ts";
import {
  type MachineTimes,
  readMachineTimes,
  wasSaturated,
} from "../../../src/executors/judge/saturation.ts";
import type { RunRequest, RunResult, RunStatus } from "../../../src/executors/sandbox/sandbox.ts";
import type { Turnstile } from "../../../src/executors/sandbox/turnstile.ts";

const CPU: RunStatus = { type: "limit", limit: "cpu" };
const WALL: RunStatus = { type: "limit", limit: "wall" };
const FINE: RunStatus = { type: "exited", code: 0 };
const about = { turn: () => Promise.resolve(), signal: new AbortController().signal };
const request = { limits: { cpuMs: 1_000, wallMs: 5_000 } } as RunRequest;

/** A machine on which a run ends as it is told to, and takes as long by the clock as it says. */
function stage(how: {
  readonly first: readonly [RunStatus, number];
  readonly second?: readonly [RunStatus, number];
  readonly saturated?: boolean;
  readonly taken?: boolean;
}) {
  let nowMs = 0;
  let cpuWaitMs = 0;
  const limits: number[] = [];
  let alones = 0;
  const run = ([status, cpuMs]: readonly [RunStatus, number], { limits: given }: RunRequest) => {
    limits.push(given.cpuMs);
    nowMs += cpuMs;
    cpuWaitMs += how.saturated === true ? cpuMs : 0;
    return Promise.resolve<RunResult>({ status, cpuMs, wallMs: cpuMs, memoryKiB: 1 });
  };
  const turnstile: Turnstile = {
    run: (given) => run(how.first, given),
    remove: () => Promise.resolve(),
    alone: (_, action) => {
      if (how.taken === true) return Promise.resolve(undefined);
      alones += 1;
      return action({ run: (given) => run(how.second ?? how.first, given) });
    },
  };
  const reruns = createReruns({
    turnstile,
    monotonicMs: () => nowMs,
    machineTimes: () => ({ ...IDLE, atMs: nowMs, cpuWaitMs }),
  });
  return { reruns, limits, alones: () => alones, pass: (ms: number) => (nowMs += ms) };
}
const IDLE: MachineTimes = {
  atMs: 0,
  cpuWaitMs: 0,
  ioWaitMs: 0,
  memoryWaitMs: 0,
  stolenMs: 0,
  totalMs: 0,
};

test("what is within the limit is believed, whatever the machine did", async () => {
  const { reruns, alones } = stage({ first: [FINE, 1_000], saturated: true });
  expect(await reruns.forJob().forTest(about).run(request)).toEqual({
    run: { status: FINE, cpuMs: 1_000, wallMs: 1_000, memoryKiB: 1 },
  });
  expect(alones()).toBe(0);
});

test("a program is given a tenth more to find out whether it was near the limit, and believed when it was not", async () => {
  const { reruns, limits, alones } = stage({ first: [CPU, 1_105] });
  expect(await reruns.forJob().forTest(about).run(request)).toMatchObject({ run: { status: CPU } });
  expect(limits).toEqual([1_100]);
  expect(alones()).toBe(0);
});

test.each<[string, Parameters<typeof stage>[0], string]>([
  ["near the limit", { first: [FINE, 1_050], second: [FINE, 980] }, "nearLimit"],
  [
    "near the limit and crashed",
    { first: [{ type: "exited", code: 1 }, 1_050], second: [FINE, 980] },
    "nearLimit",
  ],
  [
    "over it on a saturated machine",
    { first: [CPU, 1_105], second: [FINE, 700], saturated: true },
    "saturated",
  ],
  [
    "asleep on a saturated machine",
    { first: [WALL, 500], second: [FINE, 700], saturated: true },
    "saturated",
  ],
])("one %s is run again alone, and that run counts", async (_, how, reason) => {
  const { reruns, alones } = stage(how);
  const believed = await reruns.forJob().forTest(about).run(request);
  expect(believed).toMatchObject({
    run: { status: how.second?.[0], cpuMs: how.second?.[1] },
    rerunAlone: { reason, firstCpuMs: how.first[1], firstWallMs: how.first[1] },
  });
  expect(alones()).toBe(1);
  expect(reruns.stats).toMatchObject({ cleared: 1, confirmed: 0, refused: 0 });
});

test("a second run over the limit confirms the first, and says so", async () => {
  const { reruns } = stage({ first: [FINE, 1_050], second: [FINE, 1_020] });
  const believed = await reruns.forJob().forTest(about).run(request);
  expect(believed).toMatchObject({ run: { cpuMs: 1_020 }, rerunAlone: { reason: "nearLimit" } });
  expect(reruns.stats).toMatchObject({ cleared: 0, confirmed: 1 });
});

test("once per job", async () => {
  const { reruns, alones } = stage({ first: [FINE, 1_050], second: [FINE, 900] });
  const job = reruns.forJob();
  await job.forTest(about).run(request);
  expect(await job.forTest(about).run(request)).not.toHaveProperty("rerunAlone");
  expect(alones()).toBe(1);
  await reruns.forJob().forTest(about).run(request);
  expect(alones()).toBe(2);
});

test("one that is stopped while it runs again leaves the job its right to it", async () => {
  const { reruns, alones } = stage({ first: [FINE, 1_050], second: [FINE, 900] });
  const job = reruns.forJob();
  const limits = { ...request.limits, cpuMs: 1_000 };
  let attempts = 0;
  const stopped = job.forTest(about).believe(
    limits,
    async (sandbox) => {
      attempts += 1;
      if (attempts > 1) throw new Error("called back");
      return { run: (await sandbox.run(request, about.signal)) as FinishedRun };
    },
    ({ run }) => run,
  );
  await expect(stopped).rejects.toThrow("called back");
  expect(await job.forTest(about).run(request)).toMatchObject({ run: { cpuMs: 900 }, rerunAlone: {} });
  expect(alones()).toBe(2);
});

test("a machine that cannot be had alone leaves the first run as it is", async () => {
  const { reruns } = stage({ first: [FINE, 1_050], taken: true });
  expect(await reruns.forJob().forTest(about).run(request)).toEqual({
    run: { status: FINE, cpuMs: 1_050, wallMs: 1_050, memoryKiB: 1 },
  });
  expect(reruns.stats.refused).toBe(1);
});

test("however many are slow, no more than a fifth of all time goes into being alone", async () => {
  const { reruns, pass } = stage({ first: [FINE, 1_050], second: [FINE, 1_050] });
  const savedAtFirst = reruns.budgetMs();
  for (let i = 0; i < 2_000; i++) await reruns.forJob().forTest(about).run(request);
  const { aloneMs, refused, confirmed } = reruns.stats;
  const elapsed = (2_000 + confirmed) * 1_050;
  expect(refused).toBeGreaterThan(1_000);
  expect(confirmed).toBeGreaterThan(100);
  // One may begin while there is anything left.
  expect(aloneMs).toBeLessThanOrEqual(savedAtFirst + elapsed * ALONE_SHARE + 1_050);
  const before = reruns.stats.confirmed;
  pass(60_000);
  await reruns.forJob().forTest(about).run(request);
  expect(reruns.stats.confirmed).toBe(before + 1);
});

test("a flood on a saturated machine leaves some of it to those near the limit", async () => {
  const flood = stage({ first: [CPU, 1_105], saturated: true });
  for (let i = 0; i < 200; i++) await flood.reruns.forJob().forTest(about).run(request);
  expect(flood.reruns.stats.refused).toBeGreaterThan(0);
  expect(flood.reruns.budgetMs()).toBeGreaterThan(10_000);
});

test("its use is told by metrics", async () => {
  const { reruns } = stage({ first: [FINE, 1_050], second: [FINE, 900] });
  const registry = new Registry();
  measureReruns(reruns, registry);
  await reruns.forJob().forTest(about).run(request);
  const text = await registry.metrics();
  expect(text).toContain('docket_executor_reruns_total{outcome="cleared"} 1');
  expect(text).toContain("docket_executor_rerun_seconds_total 0.9");
  expect(text).toMatch(/docket_executor_rerun_budget_seconds \d+/);
});

test("saturated is a machine on which somebody waited for a good part of the time", () => {
  const after = (more: Partial<MachineTimes>): MachineTimes => ({
    ...IDLE,
    atMs: 1_000,
    totalMs: 2_000,
    ...more,
  });
  expect(wasSaturated(IDLE, after({}))).toBe(false);
  expect(wasSaturated(IDLE, after({ cpuWaitMs: 400, ioWaitMs: 400, memoryWaitMs: 50, stolenMs: 50 }))).toBe(
    false,
  );
  for (const more of [{ cpuWaitMs: 600 }, { ioWaitMs: 600 }, { memoryWaitMs: 200 }, { stolenMs: 200 }]) {
    expect(wasSaturated(IDLE, after(more))).toBe(true);
  }
});

test("the kernel's own figures are read, and only grow", async () => {
  const monotonicMs = (): number => performance.now();
  const before = readMachineTimes(monotonicMs);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const later = readMachineTimes(monotonicMs);
  for (const name of ["cpuWaitMs", "ioWaitMs", "memoryWaitMs", "stolenMs"] as const) {
    expect(before[name]).toBeGreaterThanOrEqual(0);
    expect(later[name]).toBeGreaterThanOrEqual(before[name]);
  }
  expect(later.totalMs).toBeGreaterThan(before.totalMs);
  expect(later.atMs).toBeGreaterThan(before.atMs);
});
