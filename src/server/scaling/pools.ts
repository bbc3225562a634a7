import type { Lane } from "../../shared/lane.ts";
import type { QueueId } from "../../shared/queue.ts";
import {
  DEFAULT_SCALE,
  executorsNeeded,
  type QueueLoad,
  scale,
  type ScaleByPool,
  type ScaleSettings,
  type ScaleState,
} from "../../shared/scaling.ts";
import type { ExecutorView } from "../fleet.ts";
import { keep } from "../kept.ts";
import type { QueueView } from "../queues.ts";
import { UNKNOWN_MS } from "../waits/lanemodel.ts";
import type { ServiceMs } from "../waits/servicetimes.ts";
import { type Arrivals, observe } from "./arrivals.ts";

/** A group of executors with the same work, and how many of them it should have. */
export interface PoolView {
  readonly name: string;
  /** Live ones that are not draining. */
  readonly executors: number;
  /** Of them, those that take jobs now. */
  readonly ready: number;
  /** Of all of them together. */
  readonly slots: number;
  readonly busy: number;
  /** Its part of the jobs that wait in the queues it takes; no whole number. */
  readonly waiting: number;
  /** Its part of the jobs that come in, about the last half minute's. */
  readonly arrivalsPerSecond: number;
  /** Mean time that its jobs hold a slot; undefined when it has none. */
  readonly serviceMs: number | undefined;
  readonly scale: ScaleSettings;
  readonly desiredExecutors: number;
}

/** Looked at anew after this, milliseconds: nothing is done while nobody asks. */
const KEEP_MS = 2_000;

/** So long a server that has just begun takes what it hears of for what there should be: it hears of one by one. */
const YOUNG_SECONDS = 15;

/** A pool as its live executors make it. */
interface Members {
  readonly name: string;
  readonly all: readonly ExecutorView[];
  readonly slotsEach: number;
  readonly reservedEach: number;
  readonly settings: ScaleSettings;
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

const takes = ({ all }: Members, place: { readonly language: QueueId; readonly lane: Lane }): boolean =>
  all.some(
    (one) =>
      one.state !== "paused" &&
      one.lanes.includes(place.lane) &&
      one.languages.some(({ id }) => id === place.language),
  );

/**
 * Where several pools take one queue, each counts the part that its size at the most gives it: by their size of the
 * moment, a pool that grows would make itself grow further.
 */
function partOf(
  pool: Members,
  place: Pick<QueueView, "language" | "lane">,
  pools: readonly Members[],
): number {
  const room = (one: Members): number =>
    takes(one, place)
      ? one.settings.most * (one.slotsEach - (place.lane === "contest" ? 0 : one.reservedEach))
      : 0;
  const all = pools.reduce((sum, one) => sum + room(one), 0);
  return all === 0 ? 0 : room(pool) / all;
}

/**
 * The pools with live executors, and those that `scaleOf` names. Each server reckons for itself, from what all see
 * alike; after it has started, it takes the size that a pool has for the one it should have. While NATS is away
 * nobody is seen: the last answer stands. Throws StoreUnavailable.
 */
export function createPools(deps: {
  readonly queues: () => Promise<readonly QueueView[]>;
  readonly executors: () => readonly ExecutorView[];
  readonly serviceTimes: { read(): Promise<ServiceMs> };
  /** Nothing of a paused queue is started. */
  readonly paused: (queue: QueueId) => boolean;
  readonly connected: () => boolean;
  readonly scaleOf: ScaleByPool;
  /** Monotonic milliseconds. */
  readonly monotonic?: () => number;
}): () => Promise<readonly PoolView[]> {
  const { scaleOf } = deps;
  const monotonic = deps.monotonic ?? (() => performance.now());
  const arrivals = new Map<string, Arrivals>();
  const states = new Map<string, ScaleState>();
  let last: readonly PoolView[] = [];
  let bornSeconds: number | undefined;

  function membersOf(): Members[] {
    const live = deps.executors().filter((one) => one.state !== "draining");
    const names = new Set([...Object.keys(scaleOf), ...live.map((one) => one.pool)]);
    return [...names].toSorted().map((name) => {
      const all = live.filter((one) => one.pool === name);
      return {
        name,
        all,
        slotsEach: mean(all.map((one) => one.slots)),
        reservedEach: mean(all.map((one) => one.contestReserved ?? 0)),
        settings: (Object.hasOwn(scaleOf, name) ? scaleOf[name] : undefined) ?? DEFAULT_SCALE,
      };
    });
  }

  function rateOf({ language, lane, started, waiting, pending }: QueueView, atSeconds: number): number {
    const key = `${language}.${lane}`;
    const before = arrivals.get(key);
    const now =
      started === undefined ? before : observe(before, { atSeconds, started, waiting: waiting + pending });
    if (now !== undefined) arrivals.set(key, now);
    return Math.max(0, now?.perSecond ?? 0);
  }

  async function look(): Promise<readonly PoolView[]> {
    const [queues, serviceMs] = await Promise.all([deps.queues(), deps.serviceTimes.read()]);
    if (!deps.connected()) return last;
    const nowSeconds = monotonic() / 1_000;
    bornSeconds ??= nowSeconds;
    const young = nowSeconds - bornSeconds < YOUNG_SECONDS;
    const loads = queues.map((place) => ({
      place,
      waiting: deps.paused(place.language) ? 0 : place.waiting + place.pending,
      arrivalsPerSecond: rateOf(place, nowSeconds),
      serviceSeconds: (serviceMs(place.language) ?? UNKNOWN_MS) / 1_000,
      contest: place.lane === "contest",
    }));
    const pools = membersOf();
    for (const name of states.keys()) if (pools.every((pool) => pool.name !== name)) states.delete(name);
    last = pools.map((pool) => {
      const own = loads.flatMap(({ place, ...load }): QueueLoad[] => {
        const part = partOf(pool, place, pools);
        return part === 0
          ? []
          : [{ ...load, waiting: load.waiting * part, arrivalsPerSecond: load.arrivalsPerSecond * part }];
      });
      const shape = { slots: pool.slotsEach, contestReserved: pool.reservedEach };
      const state = scale(pool.settings, young ? undefined : states.get(pool.name), {
        needed: executorsNeeded(shape, own, pool.settings.targetWaitSeconds),
        executors: pool.all.length,
        nowSeconds,
      });
      states.set(pool.name, state);
      return viewOf(pool, own, state.desired);
    });
    return last;
  }

  return keep({ keepMs: KEEP_MS, read: look, monotonic });
}

function viewOf(pool: Members, loads: readonly QueueLoad[], desiredExecutors: number): PoolView {
  const sum = (of: (load: QueueLoad) => number): number => loads.reduce((all, load) => all + of(load), 0);
  const weight = ({ waiting, arrivalsPerSecond }: QueueLoad): number =>
    waiting + arrivalsPerSecond * pool.settings.targetWaitSeconds;
  const jobs = sum(weight);
  return {
    name: pool.name,
    executors: pool.all.length,
    ready: pool.all.filter((one) => one.state === "ready").length,
    slots: pool.all.reduce((all, one) => all + one.slots, 0),
    busy: pool.all.reduce((all, one) => all + one.running.length, 0),
    waiting: sum((load) => load.waiting),
    arrivalsPerSecond: sum((load) => load.arrivalsPerSecond),
    serviceMs: jobs === 0 ? undefined : (sum((load) => weight(load) * load.serviceSeconds) / jobs) * 1_000,
    scale: pool.settings,
    desiredExecutors,
  };
}
