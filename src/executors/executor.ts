import { join } from "node:path";
import { collectDefaultMetrics, type Registry } from "prom-client";
import type { Clock } from "../shared/clock.ts";
import { crashPoint } from "../shared/crashpoint.ts";
import { type Service, startAll, stopAll } from "../shared/lifecycle.ts";
import type { Log } from "../shared/log.ts";
import { LAST_SEND_MS } from "../shared/otlp.ts";
import { NO_TRACER, type Tracer } from "../shared/trace.ts";
import { openBlobCache } from "./blobs/cache.ts";
import { createBoard } from "./backbone/board.ts";
import type { ExecutorConfig } from "./config.ts";
import { connectToBroker } from "./backbone/connect.ts";
import { watchConnection } from "./backbone/connection.ts";
import { createControl } from "./backbone/control.ts";
import { createEventSink } from "./backbone/eventsink.ts";
import { createAskFence } from "./backbone/fencecheck.ts";
import { createHealth } from "./backbone/health.ts";
import { createHealthServer } from "./backbone/healthserver.ts";
import { type HoldDeps, holdJob } from "./backbone/hold.ts";
import { createLending } from "./backbone/lending.ts";
import { createMetrics } from "./backbone/metrics.ts";
import { createOffer, type TestedLanguage } from "./backbone/offer.ts";
import { createPresence, type PresenceService } from "./backbone/presence.ts";
import { createPool } from "./backbone/pool.ts";
import { createProbes } from "./backbone/probes.ts";
import { createPuller } from "./backbone/pull.ts";
import { createReporter } from "./backbone/reporter.ts";
import type { WorkKind } from "./work.ts";
import { createWorker, GIVE_BACK_MS } from "./backbone/worker.ts";

export interface ExecutorDeps {
  readonly config: ExecutorConfig;
  readonly kinds: readonly WorkKind[];
  /** Result of the self-test at start, for every language of the configuration. */
  readonly tested: readonly TestedLanguage[];
  /** Runs a language's self-test anew in a slot that nothing else uses meanwhile. */
  readonly retest: (language: TestedLanguage["id"], slot: number) => Promise<TestedLanguage>;
  readonly registry: Registry;
  /** Left out: no traces. */
  readonly tracer?: Tracer | undefined;
  /** Ends the wait for the broker. */
  readonly signal: AbortSignal;
  /** Told of what only a new process can mend. */
  readonly fail: (error: Error) => void;
  readonly version: string;
  readonly clock: Clock;
  readonly monotonic: () => number;
  readonly log: Log;
}

export interface Executor extends Service {
  /** Base URL of /livez, /readyz and /metrics, once started. */
  url(): string;
}

/** Of the grace time so much is kept for everything but the jobs, milliseconds. */
const MARGIN_MS = 500;

const noStart = (): Promise<void> => Promise.resolve();

/**
 * The backbone of an executor: takes jobs, holds their leases, lets a kind of work run them, reports. It knows nothing
 * of judging. Waits for NATS first, and says so at /readyz; throws when NATS refuses it for good, and when aborted.
 */
export async function openExecutor(deps: ExecutorDeps): Promise<Executor> {
  const { config, clock, monotonic, log, tracer = NO_TRACER } = deps;
  const { topology } = config;
  const health = createHealth(log);
  let presence: PresenceService | undefined;
  const healthServer = createHealthServer({
    host: config.healthHost,
    port: config.healthPort,
    registry: deps.registry,
    state: () => presence?.state() ?? "starting",
    reason: () => health.reason(),
  });
  await healthServer.start();
  const nats = await connectToBroker(
    { health, log, signal: deps.signal },
    { access: config.nats, name: `executor ${config.id}` },
  );
  const connection = watchConnection(nats);
  const board = createBoard();
  const metrics = createMetrics(deps.registry, () =>
    Math.max(0, ...board.all().map((held) => held.heartbeatAgeMs())),
  );
  collectDefaultMetrics({ register: deps.registry });
  const offer = createOffer({
    tested: deps.tested,
    retest: (language) => worker.borrow((slot) => deps.retest(language, slot)),
    log,
  });
  const cache = await openBlobCache({
    folder: join(config.workDir, "blobs"),
    maxBytes: config.limits.blobCacheBytes,
    serverUrls: config.serverUrls,
    metrics,
    log,
  });
  const sink = createEventSink({ connection, log });
  // Reporters that cannot get their event into the stream and still try.
  let blocked = 0;
  const onBlocked = (now: boolean): void => {
    blocked += now ? 1 : -1;
    health.set("events", blocked > 0 ? "the event stream takes no events (full, or not there)" : undefined);
  };
  const pool = createPool({ setup: config, log });
  const parts = { connection, topology, board, health, offer, pool, metrics, clock, monotonic, log };
  const lending = createLending();
  const holdDeps: HoldDeps = {
    ...parts,
    ready: (slot) => lending.ready(slot),
    lendSlot: () => worker.lendSlot(),
    kinds: deps.kinds,
    askFence: createAskFence(parts),
    crash: crashPoint(config.crashAt),
    fail: deps.fail,
    blobs: (capability, signal) => cache.source(capability, signal),
    reporter: (job, delivery, lease, jobLog) =>
      createReporter(
        { topology, executor: config.id, sink, clock, tracer, log: jobLog, onBlocked },
        job,
        delivery,
        lease,
      ),
  };
  const lastSendMs = config.trace.endpoint === undefined ? 0 : LAST_SEND_MS;
  const puller = createPuller({ connection, topology, inboxPrefix: config.nats.inboxPrefix, monotonic, log });
  const worker = createWorker({
    ...parts,
    puller,
    lending,
    hearPoolMs: config.hearPoolMs,
    finishMs: Math.max(0, config.graceMs - GIVE_BACK_MS - MARGIN_MS - lastSendMs),
    hold: (delivery, language, slot) => holdJob(holdDeps, delivery, language, slot),
  });
  presence = createPresence({
    ...parts,
    executor: config.id,
    version: deps.version,
    draining: () => worker.draining(),
  });
  const noteLanguages = (): void => {
    for (const language of offer.known())
      metrics.languageTakenOut.set({ language }, offer.takenOut(language) ? 1 : 0);
    const none = offer.offered().length === 0;
    health.set("languages", none ? "no language of this executor works here (see notOffered)" : undefined);
  };
  offer.change.listen(noteLanguages);
  noteLanguages();

  // The start order; stopping goes the other way, so the worker drains while everything it needs is still there.
  const services: readonly Service[] = [
    { name: "nats", start: noStart, stop: () => (connection.up() ? nats.drain() : nats.close()) },
    { name: "puller", start: noStart, stop: () => Promise.resolve(puller.close()) },
    healthServer,
    createProbes({
      ...parts,
      workDir: config.workDir,
      freeDiskBytes: config.limits.executorFreeDiskBytes,
      serverUrls: config.serverUrls,
    }),
    offer,
    // Before the presence that a server answers with what was changed of the pool.
    createControl({ ...parts, executor: config.id }),
    presence,
    worker,
  ];
  return {
    name: "executor",
    url: () => healthServer.url(),
    start: () => startAll(services, log),
    stop: () => stopAll(services, log),
  };
}
