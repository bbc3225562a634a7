import { describe, expect, test } from "vitest";
import type { ExecutorView } from "../../../src/server/fleet.ts";
import type { QueueView } from "../../../src/server/queues.ts";
import { observe } from "../../../src/server/scaling/arrivals.ts";
import { createPools, type PoolView } from "../../../src/server/scaling/pools.ts";
import { ExecutorId, SubmissionId } from "../../../src/shared/ids.ts";
import type { Lane } from "../../../src/shared/lane.ts";
import { LanguageId } from "../../../src/shared/language.ts";
import { type QueueId, WorkName } from "../../../src/shared/queue.ts";
import { ScaleSettings } from "../../../src/shared/scaling.ts";

const PYTHON = LanguageId.parse("python");
const GO = LanguageId.parse("go");
const SETTINGS = ScaleSettings.parse({ most: 20, coolDownSeconds: 30 });

let nth = 0;
const executor = (pool: string, given: Partial<ExecutorView> = {}): ExecutorView => ({
  executor: ExecutorId.parse(`${pool}-${++nth}`),
  pool,
  languages: [{ id: PYTHON, version: "Python 3" }],
  notOffered: [],
  lanes: ["contest", "practice"],
  slots: 2,
  running: [],
  state: "ready",
  version: "0",
  startedAtMs: 0,
  heardAtMs: 0,
  ...given,
});

const queue = (
  language: QueueId,
  lane: Lane,
  waiting: number,
  given: Partial<QueueView> = {},
): QueueView => ({
  language,
  lane,
  waiting,
  running: 0,
  inStream: waiting,
  pending: 0,
  started: 0,
  ...given,
});

/** A server that sees what is put into `world`, and looks anew each time it is asked. */
function watching(scaleOf: Record<string, ScaleSettings> = {}) {
  const world = {
    queues: [] as QueueView[],
    executors: [] as ExecutorView[],
    paused: [] as QueueId[],
    connected: true,
    serviceMs: 1_000 as number | undefined,
  };
  let seconds = 0;
  const pools = createPools({
    queues: () => Promise.resolve(world.queues),
    executors: () => world.executors,
    serviceTimes: { read: () => Promise.resolve(() => world.serviceMs) },
    paused: (name) => world.paused.includes(name),
    connected: () => world.connected,
    scaleOf,
    monotonic: () => seconds * 1_000,
  });
  return {
    world,
    look: async (after = 10): Promise<Record<string, PoolView>> => {
      seconds += after;
      return Object.fromEntries((await pools()).map((pool) => [pool.name, pool]));
    },
  };
}

describe("pools", () => {
  test("tell what they are made of and how many executors the waiting needs", async () => {
    const { world, look } = watching({ scripts: SETTINGS });
    world.executors = [
      executor("scripts", {
        running: [
          { submission: SubmissionId.parse("aaaaaaaaaaaaaaaaaaaaaaaaaa"), language: PYTHON, sinceMs: 0 },
        ],
      }),
      executor("scripts", { state: "unhealthy" }),
      executor("scripts", { state: "draining" }),
    ];
    world.queues = [queue(PYTHON, "practice", 90, { pending: 10 })];
    expect((await look())["scripts"]).toEqual({
      name: "scripts",
      executors: 2,
      ready: 1,
      slots: 4,
      busy: 1,
      waiting: 100,
      arrivalsPerSecond: 0,
      serviceMs: 1_000,
      scale: SETTINGS,
      // 100 jobs of a second within ten seconds, two at once each.
      desiredExecutors: 5,
    });
  });

  test("grow by what comes in as well, and shrink when it has been quiet for the cool-down", async () => {
    const { world, look } = watching({ scripts: SETTINGS });
    world.executors = [executor("scripts")];
    let started = 0;
    // Ten a second, all taken at once: nothing ever waits.
    for (let i = 0; i < 60; i++) {
      world.queues = [queue(PYTHON, "practice", 0, { started })];
      started += 100;
      await look();
    }
    const busy = (await look(1))["scripts"];
    expect(busy?.arrivalsPerSecond).toBeCloseTo(10, 1);
    // Ten busy slots and a third of a spare one.
    expect(busy?.desiredExecutors).toBe(6);
    for (let i = 0; i < 60; i++) await look();
    expect((await look())["scripts"]).toMatchObject({ desiredExecutors: 1 });
  });

  test("that take one queue share it by how large they may become", async () => {
    const { world, look } = watching({
      large: ScaleSettings.parse({ most: 30 }),
      small: ScaleSettings.parse({ most: 10 }),
    });
    world.executors = [executor("large"), executor("small"), executor("other", { languages: [] })];
    world.queues = [queue(PYTHON, "practice", 80)];
    const { large, small, other } = await look();
    expect([large?.waiting, small?.waiting, other?.waiting]).toEqual([60, 20, 0]);
    expect([large?.desiredExecutors, small?.desiredExecutors, other?.desiredExecutors]).toEqual([3, 1, 1]);
  });

  test("are not asked to grow for a paused queue, another lane or another language", async () => {
    const { world, look } = watching();
    world.executors = [executor("scripts", { lanes: ["practice"] })];
    world.paused = [PYTHON];
    const sleep = WorkName.parse("sleep");
    world.queues = [
      queue(PYTHON, "practice", 1_000),
      queue(PYTHON, "contest", 1_000),
      queue(GO, "practice", 1_000),
      queue(sleep, "practice", 1_000),
    ];
    expect((await look())["scripts"]).toMatchObject({
      waiting: 0,
      serviceMs: undefined,
      desiredExecutors: 1,
    });
    world.paused = [];
    world.executors = [executor("scripts", { lanes: ["practice"], state: "paused" })];
    expect((await look())["scripts"]).toMatchObject({ waiting: 0, desiredExecutors: 1 });
    world.executors = [executor("scripts", { lanes: ["practice"] })];
    expect((await look())["scripts"]).toMatchObject({ waiting: 1_000, desiredExecutors: 50 });
  });

  test("with settings and without executors are there, at the least", async () => {
    const { world, look } = watching({ gone: ScaleSettings.parse({ least: 2, most: 4 }) });
    world.queues = [queue(PYTHON, "practice", 1_000)];
    expect((await look())["gone"]).toMatchObject({ executors: 0, slots: 0, desiredExecutors: 2 });
  });

  test("stay as they were while NATS is away, when nobody is heard and nothing seems to wait", async () => {
    const { world, look } = watching({ scripts: SETTINGS });
    world.executors = [executor("scripts")];
    world.queues = [queue(PYTHON, "practice", 100)];
    await look();
    Object.assign(world, { connected: false, executors: [] });
    world.queues = [queue(PYTHON, "practice", 0, {})];
    for (let i = 0; i < 30; i++) await look();
    expect((await look())["scripts"]).toMatchObject({ executors: 1, waiting: 100, desiredExecutors: 5 });
  });

  test("that a new server hears of one by one are not asked to shrink", async () => {
    const { world, look } = watching({ scripts: SETTINGS });
    const four = Array.from({ length: 4 }, () => executor("scripts"));
    for (const count of [1, 2, 4]) {
      world.executors = four.slice(0, count);
      expect((await look(5))["scripts"]).toMatchObject({ desiredExecutors: count });
    }
    expect((await look(20))["scripts"]).toMatchObject({ desiredExecutors: 4 });
    expect((await look(20))["scripts"]).toMatchObject({ desiredExecutors: 1 });
  });

  test("with slots kept for contests need more executors for practice", async () => {
    const { world, look } = watching({ scripts: SETTINGS });
    world.executors = [executor("scripts", { contestReserved: 1 })];
    world.queues = [queue(PYTHON, "practice", 60)];
    expect((await look())["scripts"]).toMatchObject({ desiredExecutors: 6 });
  });
});

describe("arrivals", () => {
  test("come near the rate within some minutes, and survive that a lane is made anew", () => {
    const at = (atSeconds: number, started: number, waiting = 0) => ({ atSeconds, started, waiting });
    let arrivals = observe(undefined, at(0, 500, 7));
    expect(arrivals.perSecond).toBe(0);
    for (let second = 5; second <= 300; second += 5) {
      // Half of them are started, half wait.
      arrivals = observe(arrivals, at(second, 500 + second, 7 + second));
    }
    expect(arrivals.perSecond).toBeCloseTo(2, 1);
    const anew = observe(arrivals, at(305, 0, 0));
    expect(anew.perSecond).toBe(arrivals.perSecond);
    expect(observe(anew, at(310, 10, 0)).perSecond).toBeCloseTo(2, 1);
  });
});
