import { Counter, Gauge, Histogram, type Registry } from "prom-client";

export interface ResultMeasures {
  /** outcome: recorded, stale, unknown (no such judgement), malformed, forged, failed. */
  readonly events: Counter<"outcome">;
  /** state: FINISHED, FAILED, CANCELLED. */
  readonly finals: Counter<"state">;
  /** Seconds from submit to the final state. */
  readonly finalSeconds: Histogram;
  /** reason: lost (in no stream), stuck (delivered too often). */
  readonly mended: Counter<"reason">;
  /** source: event, job. reason: as in store/rejected.ts. */
  readonly rejected: Counter<"source" | "reason">;
  /** Dead letters that somebody had judged again. */
  readonly redriven: Counter;
}

export const createResultMeasures = (registry: Registry): ResultMeasures => ({
  events: new Counter({
    name: "docket_judge_events_total",
    help: "Judge events by what the recorder made of them",
    labelNames: ["outcome"],
    registers: [registry],
  }),
  finals: new Counter({
    name: "docket_judgements_final_total",
    help: "Judgements that got their final state, by state",
    labelNames: ["state"],
    registers: [registry],
  }),
  finalSeconds: new Histogram({
    name: "docket_judgement_seconds",
    help: "Time from submit to the final state",
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800],
    registers: [registry],
  }),
  mended: new Counter({
    name: "docket_jobs_mended_total",
    help: "Jobs that the reconciler or the advisory reader had to dispatch again or give up, by reason",
    labelNames: ["reason"],
    registers: [registry],
  }),
  rejected: new Counter({
    name: "docket_messages_rejected_total",
    help: "Messages that could not be used and were taken out of their stream",
    labelNames: ["source", "reason"],
    registers: [registry],
  }),
  redriven: new Counter({
    name: "docket_dead_letters_redriven_total",
    help: "Dead letters that somebody had judged again",
    registers: [registry],
  }),
});

/** Open watches of submissions, asked for at each scrape. */
export function measureWatchers(registry: Registry, watchers: () => number): void {
  const gauge: Gauge = new Gauge({
    name: "docket_feed_watchers",
    help: "Open watches of submissions on this server",
    registers: [registry],
    collect: (): void => gauge.set(watchers()),
  });
}
