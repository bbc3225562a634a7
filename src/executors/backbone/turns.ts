import { type Lane, lanesOf, type LaneWeights } from "../../shared/lane.ts";
import type { QueueId } from "../../shared/queue.ts";

/** Where to look for a job. */
export interface Place {
  readonly language: QueueId;
  readonly lane: Lane;
}

/**
 * Which lane begins each turn of a round: as often as its weight says, spread over the round, and the higher ones first.
 */
function roundOf(weights: LaneWeights, lanes: readonly Lane[]): readonly Lane[] {
  const [highest, ...others] = lanes;
  if (highest === undefined) return [];
  const lower = roundOf(weights, others);
  const total = (weights[highest] ?? 0) + lower.length;
  const round = Array.from<Lane>({ length: total }).fill(highest);
  for (const [nth, lane] of lower.entries()) round[Math.floor(((nth + 1) * total) / lower.length) - 1] = lane;
  return round;
}

/**
 * Lanes in the order of one turn, turns counted from 0. The one that begins it is chosen by weight, so that a full one
 * cannot starve the others. When the highest begins, the others follow in their order; when a lower one does, the other
 * lower ones come before the highest, so that one which is empty leaves its turn to them. A lane of weight 0, such as
 * what is judged again, has no share of its own: it comes last in every turn, so it delays nobody.
 */
export function laneOrder(weights: LaneWeights, turn: number): readonly Lane[] {
  const all = lanesOf(weights);
  const sharing = all.filter((lane) => (weights[lane] ?? 0) > 0);
  const last = all.filter((lane) => !sharing.includes(lane));
  const round = roundOf(weights, sharing);
  const [highest, ...lower] = sharing;
  const from = lower.indexOf(round[turn % Math.max(1, round.length)] ?? "contest");
  if (highest === undefined || from === -1) return [...sharing, ...last];
  return [...lower.slice(from), ...lower.slice(0, from), highest, ...last];
}

/** What the slots of an executor are taken by and kept for. */
export interface SlotUse {
  readonly slots: number;
  readonly contestReserved: number;
  /** The lane of each job that runs. */
  readonly running: readonly Lane[];
}

/**
 * The most jobs of a lane that may begin now, whatever slots are free. Reserved slots take contest jobs only. What is
 * judged again leaves one slot that is not reserved to whoever comes in the other lanes, where there is more than one:
 * a job that has begun is not put aside for another.
 */
export function roomIn(
  lane: Lane,
  weights: LaneWeights,
  { slots, contestReserved, running }: SlotUse,
): number {
  if (lane === "contest") return slots;
  const open = slots - contestReserved;
  const room = Math.max(0, open - running.filter((one) => one !== "contest").length);
  if (lane !== "rejudge" || lanesOf(weights).length === 1) return room;
  const most = Math.max(1, open - 1) - running.filter((one) => one === "rejudge").length;
  return Math.max(0, Math.min(room, most));
}

/** Lanes of which a job may begin now. */
export function openLanes(weights: LaneWeights, use: SlotUse): LaneWeights {
  const open = lanesOf(weights).filter((lane) => roomIn(lane, weights, use) > 0);
  return Object.fromEntries(open.map((lane) => [lane, weights[lane]]));
}

export interface Turns {
  /** All places in the order to look now: lane before language, and the language served last comes last. */
  order(weights: LaneWeights, languages: readonly QueueId[]): readonly Place[];
  /** A job was taken from `place`: the next turn begins. */
  taken(place: Place): void;
}

export function createTurns(): Turns {
  let turn = 0;
  // Per lane, languages in the order they were last served; unknown ones have waited longest.
  const served = new Map<Lane, QueueId[]>();
  return {
    order: (weights, languages) =>
      laneOrder(weights, turn).flatMap((lane) => {
        const last = served.get(lane) ?? [];
        return languages
          .toSorted((a, b) => last.indexOf(a) - last.indexOf(b))
          .map((language) => ({ language, lane }));
      }),
    taken: ({ language, lane }) => {
      turn++;
      served.set(lane, [...(served.get(lane) ?? []).filter((other) => other !== language), language]);
    },
  };
}
