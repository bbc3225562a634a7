import type { Lane } from "../../shared/lane.ts";
import type { LimitName, Limits } from "../../shared/limits.ts";
import type { Log } from "../../shared/log.ts";
import type { Place } from "../store/held.ts";
import type { Role } from "../store/documents.ts";
import { passed, type Refusal, refuse, type Wait } from "./outcome.ts";

export interface SaturationDeps {
  readonly limits: Limits;
  /** Where a new submission would stand. Throws StoreUnavailable. */
  readonly waitOfNew: (input: { readonly place: Place; readonly owner: string }) => Promise<Wait>;
  readonly log: Log;
}

/** Names of the limits of each lane; what is judged again waits as long as it takes. */
const MARKS: Readonly<Partial<Record<Lane, { readonly soft: LimitName; readonly hard: LimitName }>>> = {
  contest: { soft: "contestSoftWaitMs", hard: "contestHardWaitMs" },
  practice: { soft: "practiceSoftWaitMs", hard: "practiceHardWaitMs" },
  custom: { soft: "customSoftWaitMs", hard: "customHardWaitMs" },
};

/** Ask again after this at least and at most, milliseconds: an estimate is none for the whole day. */
const LEAST_RETRY_MS = 1_000;
const MOST_RETRY_MS = 300_000;

/** Does something that waits so long get its live updates seldom? */
export function isDelayed(limits: Limits, lane: Lane, { waitMs }: Wait): boolean {
  const marks = MARKS[lane];
  return marks !== undefined && waitMs !== undefined && waitMs > limits[marks.soft];
}

/**
 * Refuses what would wait longer than the hard limit of its lane, and says of the rest whether it will wait longer than
 * the soft one. Each lane counts only what goes before it, so a flood of practice leaves contests their room. The jury
 * is never refused. Without a working database nobody can tell, and nobody is refused for it.
 */
export async function checkSaturation(
  { limits, waitOfNew, log }: SaturationDeps,
  { place, owner, role }: { readonly place: Place; readonly owner: string; readonly role: Role },
): Promise<Refusal | { readonly delayedFeedback: boolean }> {
  const marks = MARKS[place.lane];
  if (marks === undefined) return { delayedFeedback: false };
  let wait: Wait;
  try {
    wait = await waitOfNew({ place, owner });
  } catch (error) {
    log.debug({ err: error }, "could not tell how long a submission will wait");
    return { delayedFeedback: false };
  }
  const delayedFeedback = isDelayed(limits, place.lane, wait);
  if (role !== "participant") return { delayedFeedback };
  const hard = limits[marks.hard];
  if (wait.waitMs !== undefined && wait.waitMs > hard) {
    const retryAfterMs = Math.min(MOST_RETRY_MS, Math.max(LEAST_RETRY_MS, wait.waitMs - hard));
    const seconds = Math.round(wait.waitMs / 1000);
    const message = `It would wait ${seconds} s; at most ${Math.round(hard / 1000)} s are taken (limit ${marks.hard}). Try again later.`;
    return refuse("QUEUE_SATURATED", message, { ...passed(limits, marks.hard), retryAfterMs });
  }
  if (wait.position > limits.laneWaiting) {
    const message = `${wait.position - 1} submissions wait before it; at most ${limits.laneWaiting} do (limit laneWaiting).`;
    return refuse("QUEUE_SATURATED", message, {
      ...passed(limits, "laneWaiting"),
      retryAfterMs: MOST_RETRY_MS,
    });
  }
  return { delayedFeedback };
}
