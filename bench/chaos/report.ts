import type { Accepted } from "./submitting.ts";

export interface ChaosReport {
  /** Confirmed to a client. */
  readonly submissions: number;
  /** With --wipe-broker: how many of them were unfinished when the brokers lost their disks. */
  readonly unfinishedAtWipe?: number;
  /** Confirmed, and not there. */
  readonly lost: number;
  /** There twice under one key, or without anybody having asked for it. */
  readonly doubled: number;
  /** Judgements with two final states, in the database's log, in announcements or at a subscriber. */
  readonly doubleFinal: number;
  /** Without a final state long after everything was quiet again. */
  readonly stuck: number;
  readonly wrongVerdict: number;
  /** Subscribers that did not hear of the end, or heard something out of order. */
  readonly misled: number;
  /** Messages, leases, processes, control groups and temporary files that outlived their use. */
  readonly leftovers: number;
  /** Dead letters. */
  readonly failed: number;
  /** Of these, with tries that failed though nobody touched their executor. */
  readonly failedUnexplained: number;
  readonly strikes: Readonly<Record<string, number>>;
  /** Strikes at the leader of a broker cluster or the primary of a replica set. */
  readonly leadersStruck: number;
  /** Jobs that a strike took from their holder, and the time to their next start. */
  readonly recovered: number;
  readonly recoveryP50Ms: number;
  readonly recoveryP99Ms: number;
  readonly recoveryMaxMs: number;
  /** Longest time during which submissions waited to be confirmed and none was. */
  readonly intakePauseMs: number;
  readonly subscribers: number;
  readonly resumes: number;
  readonly verdicts: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** The first of each kind of trouble, in words. */
  readonly troubles: readonly string[];
}

/** Every zero holds, and dead letters are rare and explained. */
export const holds = (report: ChaosReport): boolean =>
  [
    report.lost,
    report.doubled,
    report.doubleFinal,
    report.stuck,
    report.wrongVerdict,
    report.misled,
    report.leftovers,
    report.failedUnexplained,
  ].every((count) => count === 0) && report.failed <= Math.ceil(report.submissions / 1_000);

/**
 * Longest time during which submissions waited to be confirmed and none was, milliseconds. That nothing is submitted
 * while enough wait for their verdict is no pause of the intake.
 */
export function longestPause(accepted: readonly Pick<Accepted, "askedAtMs" | "atMs">[]): number {
  let pauseMs = 0;
  let askedAtMs = Infinity;
  let nextAtMs = Infinity;
  // Backwards: of all that are confirmed from here on, the one asked for first.
  for (const one of accepted.toSorted((a, b) => b.atMs - a.atMs)) {
    if (nextAtMs !== Infinity) pauseMs = Math.max(pauseMs, nextAtMs - Math.max(one.atMs, askedAtMs));
    askedAtMs = Math.min(askedAtMs, one.askedAtMs);
    nextAtMs = one.atMs;
  }
  return pauseMs;
}

export const countBy = <T>(items: Iterable<T>, of: (item: T) => string): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const item of items) counts[of(item)] = (counts[of(item)] ?? 0) + 1;
  return counts;
};
