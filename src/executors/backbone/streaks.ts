import type { QueueId } from "../../shared/queue.ts";
import type { FaultCode } from "../../shared/protocol.ts";

/** So many faults of the machinery one after the other take the language out. */
export const FAULTS_IN_A_ROW = 3;
/** So many jobs in a row that each met a mistake of ours: one job alone may be to blame for its own. */
export const JOBS_IN_A_ROW = 5;

const MACHINERY: ReadonlySet<FaultCode> = new Set(["SANDBOX_FAILED", "TOOLCHAIN_BROKEN"]);
const OURS: ReadonlySet<FaultCode> = new Set(["INTERNAL", "DEADLINE_EXCEEDED"]);

/** What should be taken out, and why. */
export interface Sick {
  /** Every language: what is broken is no part of one. */
  readonly all: boolean;
  readonly why: string;
}

/** Counts how the jobs of an executor end. */
export interface Streaks {
  note(language: QueueId, fault: FaultCode | undefined, submission: string): Sick | undefined;
  forget(language: QueueId): void;
}

/**
 * Faults that say nothing of this executor (of a shared part, of the problem's validator) end no streak; a job that
 * came to an end without a fault ends those of its language and of the sandbox.
 */
export function createStreaks(): Streaks {
  const machinery = new Map<QueueId, number>();
  const jobs = new Map<QueueId, Set<string>>();
  let sandbox = 0;

  function forget(language: QueueId): void {
    machinery.delete(language);
    jobs.delete(language);
  }

  return {
    forget,
    note(language, fault, submission) {
      if (fault === undefined) {
        forget(language);
        sandbox = 0;
        return undefined;
      }
      if (MACHINERY.has(fault)) {
        const streak = (machinery.get(language) ?? 0) + 1;
        machinery.set(language, streak);
        if (fault === "SANDBOX_FAILED" && ++sandbox >= FAULTS_IN_A_ROW) {
          sandbox = 0;
          return { all: true, why: `${FAULTS_IN_A_ROW} jobs in a row ended with SANDBOX_FAILED` };
        }
        if (streak >= FAULTS_IN_A_ROW)
          return { all: false, why: `${streak} jobs in a row ended with ${fault}` };
      }
      if (OURS.has(fault)) {
        const ended = (jobs.get(language) ?? new Set()).add(submission);
        jobs.set(language, ended);
        if (ended.size >= JOBS_IN_A_ROW)
          return { all: false, why: `${ended.size} different jobs in a row ended with ${fault}` };
      }
      return undefined;
    },
  };
}
