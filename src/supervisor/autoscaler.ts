import { setTimeout as sleep } from "node:timers/promises";
import type { z } from "zod";
import type { Client } from "../cli/client.ts";
import { EXECUTORS, POOLS } from "../cli/operations.ts";
import type { ExecutorSet } from "./executorset.ts";
import type { ProcessEvent } from "./keepalive.ts";
import type { ExecutorPlan } from "./pools.ts";

/** Starts and drains executors until it is stopped. */
export interface Autoscaler {
  /** Resolves when no round is under way. Safe twice. */
  stop(): Promise<void>;
}

/** Between two looks, milliseconds: as old as the server's answer may be. */
const INTERVAL_MS = 2_000;
/** After an executor could not be started its pool is left alone for so long, milliseconds. */
const RETRY_MS = 30_000;

type PoolAnswer = z.infer<(typeof POOLS)["data"]>["pools"][number];

/**
 * Keeps as many executors in each of `pools` as the server wishes. Without an answer nothing changes; nothing is
 * drained either before the server has heard of all that are up, as what it wishes then may be of a pool half seen.
 */
export function startAutoscaler(
  deps: {
    readonly set: Pick<ExecutorSet, "plans" | "spare" | "isUp" | "start" | "drain">;
    /** Needs a jury key. */
    readonly client: Pick<Client, "request">;
    readonly tell: (event: ProcessEvent) => void;
  },
  input: { readonly pools: readonly string[]; readonly intervalMs?: number },
): Autoscaler {
  const { set, client, tell } = deps;
  const stopping = new AbortController();
  const restUntil = new Map<string, number>();

  function start(plan: ExecutorPlan): void {
    set.start(plan).catch((error: unknown) => {
      restUntil.set(plan.pool, performance.now() + RETRY_MS);
      if (stopping.signal.aborted) return;
      const detail = error instanceof Error ? error.message : String(error);
      tell({ process: plan.id, type: "died", detail });
    });
  }

  function grow(pool: PoolAnswer, by: number): void {
    if ((restUntil.get(pool.name) ?? 0) > performance.now()) return;
    for (let more = by; more > 0; more--) {
      const plan = set.spare(pool.name);
      if (plan === undefined) return;
      start(plan);
    }
  }

  /**
   * Those with the least to do go first, and of them the one that came last. None goes for one that is still starting:
   * it may never come, and what works is needed until it has.
   */
  async function shrink(pool: PoolAnswer, plans: readonly ExecutorPlan[]): Promise<void> {
    const up = plans.filter((plan) => set.isUp(plan));
    const by = up.length - pool.desiredExecutors;
    if (by <= 0 || pool.executors < up.length) return;
    const { executors } = await client.request(EXECUTORS);
    const running = new Map(executors.map((one) => [one.name, one.running.length]));
    const order = up
      .toReversed()
      .toSorted((one, other) => (running.get(one.id) ?? 0) - (running.get(other.id) ?? 0));
    for (const plan of order.slice(0, by)) void set.drain(plan);
  }

  async function look(): Promise<void> {
    const { pools } = await client.request(POOLS);
    for (const pool of pools.filter(({ name }) => input.pools.includes(name))) {
      const plans = set.plans().filter((plan) => plan.pool === pool.name);
      const more = pool.desiredExecutors - plans.length;
      if (stopping.signal.aborted) return;
      if (more > 0) grow(pool, more);
      if (more < 0) await shrink(pool, plans);
    }
  }

  async function rounds(): Promise<void> {
    while (!stopping.signal.aborted) {
      // A server that does not answer is spoken of by whoever keeps it alive.
      await look().catch(() => undefined);
      await sleep(input.intervalMs ?? INTERVAL_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  const all = rounds();
  return {
    stop: async () => {
      stopping.abort();
      await all;
    },
  };
}
