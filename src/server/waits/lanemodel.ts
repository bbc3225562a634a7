import { LANES } from "../../shared/lane.ts";
import type { JudgementId } from "../../shared/ids.ts";
import type { ExecutorView } from "../fleet.ts";
import type { LaneLoad, Surroundings } from "../intake/estimate.ts";
import { type HeldCount, type Place, QUEUED_LOOK, type QueuedJudgement } from "../store/held.ts";
import type { StateCount } from "../store/judgements.ts";
import type { ServiceMs } from "./servicetimes.ts";

/** What one lane of a queue looks like to somebody who waits in it. */
export interface LaneModel {
  readonly around: Surroundings;
  /** Of the queue, milliseconds; undefined when nobody has seen a job of it. */
  readonly meanMs: number | undefined;
  /** What is in the queue, and what comes before each of it. */
  readonly queued: LaneLoad;
  readonly before: ReadonlyMap<JudgementId, LaneLoad>;
  /** Held in line, by owner. */
  readonly heldOf: ReadonlyMap<string, number>;
  /** How many held jobs of others go out before an owner's `nth` (from 0). */
  heldBefore(owner: string, nth: number): number;
}

/** A job that nobody has measured is taken to be as long, milliseconds, next to others that were. */
export const UNKNOWN_MS = 1_000;

const canTake = (one: ExecutorView, { language, lane }: Place): boolean =>
  one.state === "ready" && one.lanes.includes(lane) && one.languages.some(({ id }) => id === language);

/** Slots of an executor that a lane may use. */
const slotsFor = (one: ExecutorView, lane: Place["lane"]): number =>
  one.slots - (lane === "contest" ? 0 : (one.contestReserved ?? 0));

const sum = (loads: readonly LaneLoad[]): LaneLoad => ({
  count: loads.reduce((total, one) => total + one.count, 0),
  workMs: loads.reduce((total, one) => total + one.workMs, 0),
});

/** Lanes below that have a share of the turns while this one has work; see the executors' turns.ts. */
const sharing = (lane: Place["lane"]): readonly Place["lane"][] =>
  lane === "contest" ? ["practice", "custom"] : lane === "practice" ? ["custom"] : [];

export function surroundingsOf(
  place: Place,
  given: {
    readonly executors: readonly ExecutorView[];
    readonly counts: readonly StateCount[];
    readonly serviceMs: ServiceMs;
  },
): Surroundings {
  const { executors, serviceMs } = given;
  const mine = executors.filter((one) => canTake(one, place));
  const waiting = given.counts.filter((one) => one.state !== "RUNNING" && one.count > 0);

  /** A waiting load, as far as it is for the slots that this place uses. */
  const scaled = ({ language, lane, count }: StateCount): LaneLoad => {
    const takers = executors.filter((one) => canTake(one, { language, lane }));
    const all = takers.reduce((total, one) => total + slotsFor(one, lane), 0);
    const shared = takers
      .filter((one) => mine.includes(one))
      .reduce((total, one) => total + slotsFor(one, lane), 0);
    const part = all === 0 ? 0 : (count * shared) / all;
    return { count: part, workMs: part * (serviceMs(language) ?? UNKNOWN_MS) };
  };
  const rank = (lane: Place["lane"]): number => LANES.indexOf(lane);
  // One load for each other queue, whatever its jobs' states are.
  const beside = Map.groupBy(
    waiting.filter((one) => one.lane === place.lane && one.language !== place.language),
    (one) => one.language,
  );
  return {
    slots: mine.reduce((total, one) => total + slotsFor(one, place.lane), 0),
    busy: mine.reduce((total, one) => total + one.running.length, 0),
    meanMs: serviceMs(place.language) ?? UNKNOWN_MS,
    beside: [...beside.values()].map((loads) => sum(loads.map(scaled))),
    higher: sum(waiting.filter((one) => rank(one.lane) < rank(place.lane)).map(scaled)),
    lower: sum(waiting.filter((one) => sharing(place.lane).includes(one.lane)).map(scaled)),
  };
}

export function laneModel(
  place: Place,
  given: {
    readonly executors: readonly ExecutorView[];
    readonly counts: readonly StateCount[];
    readonly held: readonly HeldCount[];
    readonly queued: readonly QueuedJudgement[];
    readonly serviceMs: ServiceMs;
  },
): LaneModel {
  const meanMs = given.serviceMs(place.language);
  const before = new Map<JudgementId, LaneLoad>();
  let queued: LaneLoad = { count: 0, workMs: 0 };
  for (const { _id, problem } of given.queued) {
    before.set(_id, queued);
    const ms = given.serviceMs(place.language, problem) ?? UNKNOWN_MS;
    queued = { count: queued.count + 1, workMs: queued.workMs + ms };
  }
  if (given.queued.length >= QUEUED_LOOK) {
    // The rest is as long as those looked at.
    const count = given.counts
      .filter((one) => one.state === "QUEUED" && one.language === place.language && one.lane === place.lane)
      .reduce((total, one) => Math.max(total, one.count), queued.count);
    queued = { count, workMs: (queued.workMs * count) / queued.count };
  }
  const heldOf = new Map(
    given.held
      .filter((one) => one.language === place.language && one.lane === place.lane)
      .map(({ owner, count }) => [owner, count]),
  );
  // Each place that comes free goes to another owner, so of each no more go out before than of one's own.
  const sizes = [...heldOf.values()].toSorted((a, b) => a - b);
  const sums: number[] = [];
  for (const size of sizes) sums.push((sums.at(-1) ?? 0) + size);
  return {
    around: surroundingsOf(place, given),
    meanMs,
    queued,
    before,
    heldOf,
    heldBefore(owner, nth) {
      const most = nth + 1;
      const small = sizes.findIndex((size) => size > most);
      const cut = small === -1 ? sizes.length : small;
      const all = (sums[cut - 1] ?? 0) + (sizes.length - cut) * most;
      return Math.max(0, all - Math.min(heldOf.get(owner) ?? 0, most));
    },
  };
}
