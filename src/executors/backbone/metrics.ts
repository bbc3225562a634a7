import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** How the executor was done with a delivered job. */
export type JobEnd = "finished" | "fault" | "released" | "cancelled" | "lease_lost" | "stale" | "malformed";

/**
 * Metrics of one executor. Labels come from closed sets only, so their number is bounded. `oldestHeartbeatMs` is asked
 * at each scrape.
 */
export function createMetrics(registry: Registry, oldestHeartbeatMs: () => number) {
  const registers = [registry];
  return {
    jobs: new Counter({
      name: "docket_executor_jobs_total",
      help: "Delivered jobs by how the executor was done with them.",
      labelNames: ["end", "language"],
      registers,
    }),
    faults: new Counter({
      name: "docket_executor_faults_total",
      help: "Faults reported, by code.",
      labelNames: ["code"],
      registers,
    }),
    jobSeconds: new Histogram({
      name: "docket_executor_job_seconds",
      help: "Time from a job's delivery until the executor was done with it.",
      labelNames: ["language"],
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
      registers,
    }),
    waitSeconds: new Histogram({
      name: "docket_executor_queue_wait_seconds",
      help: "Time a job lay in its stream before it was delivered here (first delivery; two clocks).",
      labelNames: ["lane"],
      buckets: [0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1, 5, 30, 120, 600],
      registers,
    }),
    pulls: new Counter({
      name: "docket_executor_pulls_total",
      help: "Questions for a job by answer.",
      labelNames: ["answer"],
      registers,
    }),
    pullSeconds: new Histogram({
      name: "docket_executor_pull_seconds",
      help: "Time until a question for a job was answered.",
      buckets: [0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.25, 1],
      registers,
    }),
    slots: new Gauge({
      name: "docket_executor_slots",
      help: "Jobs this executor can run at once.",
      registers,
    }),
    slotsBusy: new Gauge({ name: "docket_executor_slots_busy", help: "Slots in use.", registers }),
    healthy: new Gauge({ name: "docket_executor_healthy", help: "1 while jobs are pulled.", registers }),
    languageTakenOut: new Gauge({
      name: "docket_executor_language_taken_out",
      help: "1 while a language that worked here is not offered because its jobs kept failing.",
      labelNames: ["language"],
      registers,
    }),
    heartbeatAgeSeconds: new Gauge({
      name: "docket_executor_heartbeat_age_seconds",
      help: "Age of the oldest confirmed heartbeat among the jobs held; 0 without any.",
      registers,
      collect() {
        this.set(oldestHeartbeatMs() / 1_000);
      },
    }),
    blobHits: new Counter({
      name: "docket_executor_blob_cache_hits_total",
      help: "Blobs found in the cache.",
      registers,
    }),
    blobMisses: new Counter({
      name: "docket_executor_blob_cache_misses_total",
      help: "Blobs that had to be fetched.",
      registers,
    }),
    blobEvictions: new Counter({
      name: "docket_executor_blob_cache_evictions_total",
      help: "Blobs removed from the cache to make room.",
      registers,
    }),
    blobBytes: new Gauge({
      name: "docket_executor_blob_cache_bytes",
      help: "Bytes in the blob cache.",
      registers,
    }),
  };
}

export type ExecutorMetrics = ReturnType<typeof createMetrics>;
