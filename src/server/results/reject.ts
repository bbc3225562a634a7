import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import { printable } from "../../shared/printable.ts";
import type { Rejected, RejectedMessage } from "../store/rejected.ts";
import type { ResultMeasures } from "./measures.ts";

/** Counts, logs and writes down a message that was taken out of its stream. Never throws, is never waited for. */
export type Reject = (
  message: Omit<RejectedMessage, "at" | "excerpt"> & { readonly data: Uint8Array },
) => void;

/** Written down per second at most: a flood is counted and does not become a flood of writes. */
const PER_SECOND = 20;
const EXCERPT_CHARACTERS = 300;

export function createReject(deps: {
  readonly rejected: Rejected;
  readonly clock: Clock;
  readonly measures: ResultMeasures;
  readonly log: Log;
}): Reject {
  const { log, clock } = deps;
  let second = 0;
  let written = 0;
  return ({ data, ...message }) => {
    const { source, reason } = message;
    deps.measures.rejected.inc({ source, reason });
    const now = clock.now();
    if (Math.floor(now / 1000) !== second) {
      second = Math.floor(now / 1000);
      written = 0;
    }
    if (++written > PER_SECOND) return;
    const excerpt = printable(data, EXCERPT_CHARACTERS);
    log.error({ ...message, excerpt }, "dropped a message that cannot be used");
    deps.rejected.put({ ...message, excerpt, at: new Date(now) }).catch((error: unknown) => {
      log.warn({ err: error, source, reason }, "could not write down a rejected message; it is in the log");
    });
  };
}
