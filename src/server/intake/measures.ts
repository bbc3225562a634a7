import { Counter, Histogram, type Registry } from "prom-client";
import type { LimitName } from "../../shared/limits.ts";
import type { SubmitOutcome } from "./outcome.ts";

export interface IntakeMeasures {
  /** Counts what somebody was answered who handed in something, and the limit that refused him. */
  answered(outcome: SubmitOutcome): void;
  /** Seconds from the call to the answer, accepted ones only. */
  readonly submitSeconds: Histogram;
  /** outcome: published, duplicate, present, replaced (an older dispatch's message), failed. */
  readonly dispatched: Counter<"outcome">;
}

/** `refused` hears of each limit that turned somebody away. */
export function createIntakeMeasures(
  registry: Registry,
  refused: (limit: LimitName) => void,
): IntakeMeasures {
  const submitted = new Counter({
    name: "docket_submissions_total",
    help: "Submissions by outcome: accepted, replayed, or a refusal's code",
    labelNames: ["outcome"],
    registers: [registry],
  });
  return {
    answered(outcome) {
      if (outcome.type === "accepted") {
        submitted.inc({ outcome: outcome.replayed ? "replayed" : "accepted" });
        return;
      }
      submitted.inc({ outcome: outcome.code });
      if (outcome.limitName !== undefined) refused(outcome.limitName);
    },
    submitSeconds: new Histogram({
      name: "docket_submit_seconds",
      help: "Time from submit to its answer, accepted ones",
      buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers: [registry],
    }),
    dispatched: new Counter({
      name: "docket_dispatches_total",
      help: "Publications of jobs by outcome",
      labelNames: ["outcome"],
      registers: [registry],
    }),
  };
}
