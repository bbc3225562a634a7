/**
 * How long something waits, from what is known of the queue: a pure calculation. Executors serve lanes before languages,
 * turn round among languages, and give the lower of the two great lanes one turn in five (turns.ts of the executors).
 */

/** What waits in one lane of one queue. */
export interface LaneLoad {
  /** Jobs. */
  readonly count: number;
  /** Milliseconds of work, all of it together. */
  readonly workMs: number;
}

export interface Surroundings {
  /** Slots that may take this job. */
  readonly slots: number;
  /** Of them, those that run a job now. */
  readonly busy: number;
  /** Mean time of a job that these slots run, milliseconds. */
  readonly meanMs: number;
  /** Other queues' jobs in the same lane that the same slots take, each scaled by how far they share slots. */
  readonly beside: readonly LaneLoad[];
  /** Jobs in higher lanes that the same slots take. */
  readonly higher: LaneLoad;
  /** Jobs in lower lanes that have a share of the turns. */
  readonly lower: LaneLoad;
}

/**
 * One turn in so many begins at a lower lane by the usual weights (shared/lane.ts). Pools with other weights are estimated
 * as if they had these: nearly right, as lanes seldom all have work.
 */
export const LOWER_TURN = 5;

/** The part of a load that at most `count` of its jobs make. */
const atMost = ({ count, workMs }: LaneLoad, most: number): number =>
  count <= 0 ? 0 : workMs * Math.min(1, Math.max(0, most) / count);

/** Milliseconds until a job starts that has `ahead` before it in its own lane of its own queue; undefined: never. */
export function estimateWait(ahead: LaneLoad, around: Surroundings): number | undefined {
  const { slots, busy, meanMs } = around;
  if (slots <= 0) return undefined;
  // Round robin: of each other queue no more than of this one.
  const beside = around.beside.reduce((sum, load) => sum + atMost(load, ahead.count + 1), 0);
  const served = ahead.count + 1;
  // While a higher lane has work this one gets one turn in five, and as long as this one has work the lower ones do.
  const higher = atMost(around.higher, served * (LOWER_TURN - 1));
  const lower = atMost(around.lower, served / (LOWER_TURN - 1));
  const work = ahead.workMs + beside + higher + lower;
  if (work === 0 && busy < slots) return 0;
  // Slots come free one after the other, the first one after half of its turn on average.
  return (work + meanMs / 2) / slots;
}
