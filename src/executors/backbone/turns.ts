import type { Lane } from "../../shared/lane.ts";
import type { QueueId } from "../../shared/queue.ts";

/** Where to look for a job. */
export interface Place {
  readonly language: QueueId;
  readonly lane: Lane;
}

/** One turn in this many starts below the highest lane, so that a full one cannot starve the others. */
export const LOWER_LANE_TURN = 5;

/**
 * Lanes in the order of one turn, turns counted from 0. Every turn but each fifth goes from the highest down; the fifth
 * begins with the lower ones, another one first each time, and the highest comes after them. What is judged again has
 * no share of its own: it comes last in every turn, so it delays nobody.
 */
export function laneOrder(lanes: readonly Lane[], turn: number): readonly Lane[] {
  const lower: readonly Lane[] = lanes.slice(1).filter((lane) => lane !== "rejudge");
  if (lower.length === 0 || turn % LOWER_LANE_TURN !== LOWER_LANE_TURN - 1) return lanes;
  const from = Math.floor(turn / LOWER_LANE_TURN) % lower.length;
  const turned = [...lower.slice(from), ...lower.slice(0, from)];
  return [...turned, ...lanes.filter((lane) => !lower.includes(lane))];
}

/**
 * Lanes that may have a job now, by what runs in an executor's slots. Reserved slots take contest jobs only. What is
 * judged again leaves one slot that is not reserved to whoever comes in the other lanes, where there is more than one:
 * a job that has begun is not put aside for another.
 */
export function openLanes(
  lanes: readonly Lane[],
  running: readonly Lane[],
  { slots, contestReserved }: { readonly slots: number; readonly contestReserved: number },
): readonly Lane[] {
  const open = slots - contestReserved;
  const others = running.filter((lane) => lane !== "contest");
  if (others.length >= open) return lanes.filter((lane) => lane === "contest");
  const again = running.filter((lane) => lane === "rejudge");
  const most = lanes.length === 1 ? open : Math.max(1, open - 1);
  return again.length >= most ? lanes.filter((lane) => lane !== "rejudge") : lanes;
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
