import { collectDefaultMetrics, Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Backbone } from "../backbone.ts";
import type { ConnectionCounts } from "./connections.ts";

/** The server's own numbers. Labels come from short fixed lists: never an id, an owner or a query. */
export interface Metrics {
  request(route: string, method: string, status: number, seconds: number): void;
}

const METHODS = new Set(["GET", "POST", "OPTIONS", "HEAD"]);

export function createMetrics(deps: {
  readonly registry: Registry;
  readonly backbone: Pick<Backbone, "queues" | "executors" | "pools" | "connected">;
  readonly connections: ConnectionCounts;
}): Metrics {
  const { registry, backbone } = deps;
  // Registered by hand where nothing sets them from outside: prom-client's own registry is a global one.
  const registers: Registry[] = [];
  collectDefaultMetrics({ register: registry });

  const requests = new Histogram({
    name: "docket_http_request_seconds",
    help: "Time to answer; of an event stream, how long it was open.",
    labelNames: ["route", "method", "status"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30],
    registers: [registry],
  });
  registry.registerMetric(
    new Gauge({
      name: "docket_connections",
      help: "Open WebSockets and event streams on this server.",
      registers,
      collect() {
        this.set(deps.connections.total());
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: "docket_nats_connected",
      help: "1 while NATS is connected.",
      registers,
      collect() {
        this.set(backbone.connected() ? 1 : 0);
      },
    }),
  );
  const unread = new Counter({
    name: "docket_queues_unread_total",
    help: "Scrapes that could not read the queues from the database: docket_jobs or docket_pool_desired_executors is missing from them.",
    registers: [registry],
  });
  registry.registerMetric(
    new Gauge({
      name: "docket_jobs",
      help: "Unfinished judgements: pending (stored, not in the queue), waiting, running (held by an executor).",
      labelNames: ["language", "lane", "state"],
      registers,
      async collect() {
        this.reset();
        try {
          for (const { language, lane, pending, waiting, running } of await backbone.queues()) {
            this.set({ language, lane, state: "pending" }, pending);
            this.set({ language, lane, state: "waiting" }, waiting);
            this.set({ language, lane, state: "running" }, running);
          }
        } catch {
          unread.inc();
        }
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: "docket_executor_slots",
      help: "Slots of live executors, by use.",
      labelNames: ["pool", "state"],
      registers,
      collect() {
        this.reset();
        for (const { pool, slots, running } of backbone.executors()) {
          this.inc({ pool, state: "used" }, running.length);
          this.inc({ pool, state: "free" }, Math.max(0, slots - running.length));
        }
      },
    }),
  );

  registry.registerMetric(
    new Gauge({
      name: "docket_pool_desired_executors",
      help: "Executors that a pool should have for what waits and what comes in.",
      labelNames: ["pool"],
      registers,
      async collect() {
        this.reset();
        try {
          for (const { name: pool, desiredExecutors } of await backbone.pools())
            this.set({ pool }, desiredExecutors);
        } catch {
          unread.inc();
        }
      },
    }),
  );

  return {
    request: (route, method, status, seconds) =>
      requests.observe(
        { route, method: METHODS.has(method) ? method : "other", status: `${Math.floor(status / 100)}xx` },
        seconds,
      ),
  };
}
