import type { Lane } from "../../shared/lane.ts";
import type { QueueId } from "../../shared/queue.ts";

/** Where to look for a job. */
export interface Place {
  readonly language: QueueId;
  readonly lane: Lane;
}

/** One turn in this many starts at a lower lane, so that a full higher lane cannot starve it. */
export const LOWER_LANE_TURN = 5;

/**
 * Lanes in the order of one turn, turns counted from 0. Every turn but each fifth goes from the highest down; the
 * fifth puts one lower lane first, another one each time.
 */
export function laneOrder(lanes: readonly Lane[], turn: number): readonly Lane[] {
  const lower = lanes.slice(1);
  if (lower.length === 0 || turn % LOWER_LANE_TURN !== LOWER_LANE_TURN - 1) return lanes;
  const first = lower[Math.floor(turn / LOWER_LANE_TURN) % lower.length];
  if (first === undefined) return lanes;
  return [first, ...lanes.filter((lane) => lane !== first)];
}

export interface Turns {
  /** All places in the order to look now: lane before language, and the language served last comes last. */
  order(lanes: readonly Lane[], languages: readonly QueueId[]): readonly Place[];
  /** A job was taken from `place`: the next turn begins. */
  taken(place: Place): void;
}

export function createTurns(): Turns {
  let turn = 0;
  // Per lane, languages in the order they were last served; unknown ones have waited longest.
  const served = new Map<Lane, QueueId[]>();
  return {
    order: (lanes, languages) =>
      laneOrder(lanes, turn).flatMap((lane) => {
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
