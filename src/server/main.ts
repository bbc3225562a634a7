import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Registry } from "prom-client";
import { backoffMs } from "../shared/backoff.ts";
import { systemClock } from "../shared/clock.ts";
import { crashPoint } from "../shared/crashpoint.ts";
import { EnvironmentError } from "../shared/env.ts";
import { EXIT, type Service, startAll, stopAll, stopOnSignal } from "../shared/lifecycle.ts";
import { createLog, type Log } from "../shared/log.ts";
import { createTracer, traceSettingsOf } from "../shared/otlp.ts";
import { loadWorkload, type NamedWorkload, WorkloadUnfit } from "../shared/workload.ts";
import { createApp } from "./app.ts";
import { createBackbone } from "./backbone.ts";
import { type Config, readConfig } from "./config.ts";
import { countEvictions } from "./overflow.ts";
import { openStore, type Store, StoreUnfit } from "./store/store.ts";
import { StoreUnavailable } from "./store/unavailable.ts";

/** Words for the person who started it; the log is for machines. */
function giveUp(code: number, message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

function configure(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (error instanceof EnvironmentError) return giveUp(EXIT.config, error.message);
    throw error;
  }
}

async function loadWorkloads(folders: readonly string[]): Promise<readonly NamedWorkload[]> {
  try {
    return await Promise.all(folders.map(loadWorkload));
  } catch (error) {
    if (error instanceof WorkloadUnfit) return giveUp(EXIT.config, error.message);
    throw error;
  }
}

const withoutPassword = (url: string): string => url.replace(/\/\/[^@/]*@/, "//…@");

/** Waits for the database, however long that takes; undefined when `signal` ended the wait. */
async function open(
  deps: { readonly registry: Registry; readonly log: Log; readonly signal: AbortSignal },
  { environment, limits }: Config,
): Promise<Store | undefined> {
  const { MONGODB_URL: url, MONGODB_DATABASE: database } = environment;
  const { rejectedMessages } = limits;
  const evicted = countEvictions(deps.registry);
  const waits = backoffMs();
  while (!deps.signal.aborted) {
    try {
      return await openStore({ url, database, evicted, rejectedMessages });
    } catch (error) {
      if (error instanceof StoreUnfit) return giveUp(EXIT.config, `${error.message} (MONGODB_URL)`);
      if (!(error instanceof StoreUnavailable)) throw error;
      const againInMs = waits.next().value;
      const where = withoutPassword(url);
      deps.log.warn({ err: error, againInMs }, `MongoDB does not answer at ${where}; trying again`);
      await sleep(againInMs, undefined, { signal: deps.signal }).catch(() => undefined);
    }
  }
  return undefined;
}

/** Cannot be closed before the parts that use it; so it is the first service and the last to stop. */
const storeService = (store: Store): Service => ({
  name: "store",
  start: () => Promise.resolve(),
  stop: () => store.close(),
});

async function main(): Promise<void> {
  const config = configure();
  const { environment, limits, allowedHosts } = config;
  const log: Log = createLog("server", environment.DOCKET_LOG_LEVEL);
  const registry = new Registry();
  const workloads = await loadWorkloads(environment.DOCKET_WORKLOADS);
  const services: Service[] = [];
  const opening = new AbortController();
  const stop = async (): Promise<void> => {
    opening.abort();
    await stopAll(services, log);
  };
  stopOnSignal(stop, environment.DOCKET_GRACE_MS, log);
  const store = await open({ registry, log, signal: opening.signal }, config);
  if (store === undefined) return;
  const instance = `${hostname()}-${process.pid}`;
  const { tracer, services: tracing } = createTracer({
    settings: traceSettingsOf(environment),
    service: "docket-server",
    instance,
    log,
  });
  const capabilitySecret = environment.DOCKET_CAPABILITY_SECRET;
  const shared = { store, limits, clock: systemClock, log, registry };
  const backbone = createBackbone({
    ...shared,
    nats: {
      url: environment.NATS_URL,
      user: environment.NATS_USER,
      password: environment.NATS_PASSWORD,
    },
    topology: {
      prefix: environment.DOCKET_TOPOLOGY_PREFIX,
      replicas: environment.DOCKET_REPLICAS,
      languages: environment.DOCKET_LANGUAGES && [...new Set(environment.DOCKET_LANGUAGES)],
      works: workloads.map(({ name }) => name),
    },
    workloads,
    capabilitySecret,
    scale: environment.DOCKET_SCALE,
    webhookAllow: environment.DOCKET_WEBHOOK_ALLOW,
    instance,
    tracer,
    crash: crashPoint(environment.DOCKET_CRASH_AT),
  });
  const app = createApp(
    { ...shared, backbone },
    {
      host: environment.DOCKET_HOST,
      port: environment.DOCKET_PORT,
      allowedHosts,
      capabilitySecret,
      graceMs: Math.floor(environment.DOCKET_GRACE_MS * 0.8),
    },
  );

  services.push(storeService(store), ...tracing, backbone, app);
  try {
    await startAll(services, log);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EADDRINUSE" || code === "EACCES" || code === "EADDRNOTAVAIL") {
      const address = `${environment.DOCKET_HOST}:${environment.DOCKET_PORT}`;
      const why = code === "EADDRINUSE" ? "is in use by another program" : `cannot be listened on (${code})`;
      giveUp(
        EXIT.config,
        `The address ${address} ${why}: set DOCKET_PORT (0 takes any free port) or DOCKET_HOST.`,
      );
    }
    throw error;
  }
  log.info({ url: app.url() }, "ready");
  process.stdout.write(`${JSON.stringify({ ready: true, url: app.url() })}\n`);
}

await main();
