import { Counter, Histogram, type Registry } from "prom-client";

export interface IntakeMeasures {
  /** outcome: accepted, replayed, or a refusal's code. */
  readonly submitted: Counter<"outcome">;
  /** Seconds from the call to the answer, accepted ones only. */
  readonly submitSeconds: Histogram;
  /** outcome: published, duplicate, present, replaced (an older dispatch's message), failed. */
  readonly dispatched: Counter<"outcome">;
}

export const createIntakeMeasures = (registry: Registry): IntakeMeasures => ({
  submitted: new Counter({
    name: "docket_submissions_total",
    help: "Submissions by outcome",
    labelNames: ["outcome"],
    registers: [registry],
  }),
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
});
