import type { ExecutorId } from "../../shared/ids.ts";
import type { Try } from "../store/documents.ts";

/** What is known of an executor's process: when it began, by its own clock, and when it was heard last. */
export type HeardOf = (
  executor: ExecutorId,
) => { readonly startedAtMs: number; readonly heardAtMs: number } | undefined;

/** Machines' clocks may differ by so much: far below the time that a lease takes to run out. */
const SKEW_MS = 1_000;

/**
 * Holders that were replaced without a word count against a job, as if it had killed them. Those whose very process
 * is heard of after its successor began did not die: they were cut off from the broker for longer than a lease, and
 * stay silent as they must. An outage burns no tries; the job is not to blame. A holder that hangs by the job's doing
 * is excused too, as far as the broker's greatest number of deliveries.
 *
 * The same array when nobody is to be excused.
 */
export function excuse(tries: readonly Try[], heardOf: HeardOf): readonly Try[] {
  if (tries.length < 2) return tries;
  const excused = tries.map((one, i): Try => {
    const successor = tries[i + 1];
    if (one.end !== undefined || successor === undefined) return one;
    const process = heardOf(one.executor);
    if (process === undefined || process.startedAtMs > one.startedAt.getTime()) return one;
    if (process.heardAtMs <= successor.startedAt.getTime() + SKEW_MS) return one;
    const message = "lost its lease and lives on: cut off from the broker, or stopped";
    return { ...one, end: { type: "released", at: new Date(process.heardAtMs), message } };
  });
  return excused.some((one, i) => one !== tries[i]) ? excused : tries;
}
