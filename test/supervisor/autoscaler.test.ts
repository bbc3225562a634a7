import { expect, test } from "vitest";
import type { Client } from "../../src/cli/client.ts";
import { EXECUTORS, type Operation, POOLS } from "../../src/cli/operations.ts";
import { startAutoscaler } from "../../src/supervisor/autoscaler.ts";
import { type ExecutorPlan, planExecutors } from "../../src/supervisor/pools.ts";
import { until } from "../support/processes.ts";

/** What the system's test cannot bring about at will: a server that hears late, and an executor that does not start. */

const MOST = 4;

function stage(up: number) {
  const plans = planExecutors([{ name: "p", languages: ["c"], scale: { most: MOST } }], "abcdef", 2);
  const running = new Set(plans.slice(0, up));
  const seen = { started: [] as string[], drained: [] as string[], died: [] as string[], looks: 0 };
  const wish = { desired: up, heard: up, busy: {} as Record<string, number>, broken: false, silent: false };
  const starting = new Set<ExecutorPlan>();
  let ready: Promise<void> | undefined;

  const answers = new Map<Operation<unknown>, () => object>([
    [
      POOLS,
      () => ({
        pools: [
          { name: "p", executors: wish.heard, desiredExecutors: wish.desired },
          { name: "other", executors: 1, desiredExecutors: 9 },
        ],
      }),
    ],
    [
      EXECUTORS,
      () => ({
        executors: plans.map(({ id }) => ({
          name: id,
          running: Array.from({ length: wish.busy[id] ?? 0 }, () => ({})),
        })),
      }),
    ],
  ]);
  const client: Pick<Client, "request"> = {
    request: async <Data>(operation: Operation<Data>): Promise<Data> => {
      seen.looks += 1;
      if (wish.silent) throw new Error("no answer");
      return (answers.get(operation)?.() ?? {}) as Data;
    },
  };
  const autoscaler = startAutoscaler(
    {
      set: {
        plans: () => plans.filter((plan) => running.has(plan)),
        spare: (pool) => plans.find((plan) => plan.pool === pool && !running.has(plan)),
        isUp: (plan) => running.has(plan) && !starting.has(plan),
        start: async (plan: ExecutorPlan) => {
          if (wish.broken) throw new Error("its toolchain is broken");
          running.add(plan);
          seen.started.push(plan.id);
          starting.add(plan);
          await ready;
          starting.delete(plan);
        },
        drain: async (plan) => {
          running.delete(plan);
          seen.drained.push(plan.id);
        },
      },
      client,
      tell: ({ process, type }) => void (type === "died" && seen.died.push(process)),
    },
    { pools: ["p"], intervalMs: 1 },
  );
  /** A few more rounds have gone by. */
  const rounds = async (): Promise<void> => {
    const before = seen.looks;
    await until("it looks on", () => seen.looks > before + 5);
  };
  /** What is started from now on is up when this is called. */
  const slowStart = (): (() => void) => {
    const start = Promise.withResolvers<void>();
    ready = start.promise;
    return start.resolve;
  };
  return { plans, seen, wish, rounds, autoscaler, slowStart };
}

test("starts what is missing, and drains those with the least to do, of them the last", async () => {
  const { seen, wish, rounds, autoscaler } = stage(1);
  wish.desired = 4;
  await until("three are started", () => seen.started.length === 3);
  expect(seen.started).toEqual(["p-2-abcdef", "p-3-abcdef", "p-4-abcdef"]);
  await rounds();
  expect(seen.started).toHaveLength(3);
  Object.assign(wish, {
    heard: 4,
    busy: { "p-1-abcdef": 0, "p-2-abcdef": 1, "p-3-abcdef": 0, "p-4-abcdef": 2 },
  });
  wish.desired = 2;
  await until("two are drained", () => seen.drained.length === 2);
  expect(seen.drained).toEqual(["p-3-abcdef", "p-1-abcdef"]);
  await autoscaler.stop();
});

test("drains nothing before the server has heard of all that are up, nor without an answer", async () => {
  const { seen, wish, rounds, autoscaler } = stage(4);
  Object.assign(wish, { desired: 1, heard: 2 });
  await rounds();
  expect(seen.drained).toEqual([]);
  Object.assign(wish, { heard: 4, silent: true });
  await rounds();
  expect(seen.drained).toEqual([]);
  wish.silent = false;
  await until("three are drained", () => seen.drained.length === 3);
  await autoscaler.stop();
});

test("drains none that is up in the place of one that is still starting", async () => {
  const { seen, wish, rounds, autoscaler, slowStart } = stage(1);
  const ready = slowStart();
  wish.desired = 2;
  await until("one is started", () => seen.started.length === 1);
  wish.desired = 1;
  await rounds();
  expect(seen.drained).toEqual([]);
  wish.heard = 2;
  ready();
  await until("one is drained", () => seen.drained.length === 1);
  expect(seen.drained).toEqual(["p-2-abcdef"]);
  await rounds();
  expect(seen.drained).toHaveLength(1);
  await autoscaler.stop();
});

test("says that an executor does not start, and leaves its pool alone for a while", async () => {
  const { seen, wish, rounds, autoscaler } = stage(1);
  Object.assign(wish, { desired: 2, broken: true });
  await until("it is said", () => seen.died.length > 0);
  await rounds();
  expect(seen.died).toEqual(["p-2-abcdef"]);
  await autoscaler.stop();
});
