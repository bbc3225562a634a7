import { type Identity, derive } from "./identity.ts";
import { poolEnvironment } from "../shared/pool.ts";
import type { ScaleByPool } from "../shared/scaling.ts";
import { SERVER_USER } from "./natsusers.ts";
import { CPU_WEIGHTS, type ExecutorPlan } from "./pools.ts";

/** What every process of a stack is told alike. */
export interface StackFacts {
  readonly identity: Identity;
  readonly mongodbUrl: string;
  readonly database: string;
  readonly nats: BrokerAccess;
  readonly topologyPrefix: string;
  /** Copies of each stream. */
  readonly replicas: number;
  readonly host: string;
  /** Of each server. */
  readonly ports: readonly number[];
  readonly bwrap: string;
  /** What toolchains have to have built once, shared by all stacks of the checkout. */
  readonly toolchainDir: string;
  /** Folders of the kinds of work of all pools. */
  readonly workloads: readonly string[];
  /** Of the pools that grow and shrink. */
  readonly scale: ScaleByPool;
  readonly graceMs: number;
}

export interface BrokerAccess {
  readonly url: string;
  /** A nats-server of somebody else: one user for all, or none. Ours has a user for every process. */
  readonly external?: { readonly user?: string | undefined; readonly password?: string | undefined };
}

/** Variables of the supervisor's own environment that its processes get too; nothing else reaches them. */
const PASSED: ReadonlySet<string> = new Set(
  (
    "PATH HOME LANG LC_ALL TZ TMPDIR NODE_OPTIONS NODE_EXTRA_CA_CERTS " +
    "JAVA_HOME GOROOT RUSTUP_HOME CARGO_HOME DOCKET_LOG_LEVEL " +
    "OTEL_EXPORTER_OTLP_ENDPOINT OTEL_EXPORTER_OTLP_HEADERS OTEL_TRACES_SAMPLER_ARG"
  ).split(" "),
);
const PASSED_BEGINNING = "DOCKET_LIMIT_";

function passed(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => PASSED.has(name) || name.startsWith(PASSED_BEGINNING)),
  );
}

/** User and password of one process on the broker. */
export function brokerUser(facts: StackFacts, user: string): { NATS_USER?: string; NATS_PASSWORD?: string } {
  const { external } = facts.nats;
  if (external === undefined) {
    return { NATS_USER: user, NATS_PASSWORD: derive(facts.identity, `nats:${user}`) };
  }
  return {
    ...(external.user === undefined ? {} : { NATS_USER: external.user }),
    ...(external.password === undefined ? {} : { NATS_PASSWORD: external.password }),
  };
}

export function serverEnvironment(
  facts: StackFacts,
  env: NodeJS.ProcessEnv,
  port: number,
): NodeJS.ProcessEnv {
  return {
    ...passed(env),
    MONGODB_URL: facts.mongodbUrl,
    MONGODB_DATABASE: facts.database,
    NATS_URL: facts.nats.url,
    ...brokerUser(facts, SERVER_USER),
    DOCKET_HOST: facts.host,
    DOCKET_PORT: String(port),
    DOCKET_ALLOWED_HOSTS: env["DOCKET_ALLOWED_HOSTS"] ?? "",
    DOCKET_CAPABILITY_SECRET: derive(facts.identity, "capability"),
    DOCKET_TOPOLOGY_PREFIX: facts.topologyPrefix,
    DOCKET_REPLICAS: String(facts.replicas),
    DOCKET_WORKLOADS: facts.workloads.join(","),
    DOCKET_SCALE: JSON.stringify(facts.scale),
    DOCKET_GRACE_MS: String(facts.graceMs),
    DOCKET_WEBHOOK_ALLOW: env["DOCKET_WEBHOOK_ALLOW"] ?? "",
  };
}

/** How the server is reached from this machine: by loopback when it listens everywhere. */
export function localUrl(host: string, port: number): string {
  const name = ["0.0.0.0", "::"].includes(host) ? "127.0.0.1" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}

/** No database access in here: an executor knows the broker, the server's URL and its own folder. */
export function executorEnvironment(
  facts: StackFacts,
  env: NodeJS.ProcessEnv,
  executor: {
    readonly plan: ExecutorPlan;
    readonly workDir: string;
    readonly uid: number;
    readonly slotUidBase: number;
    readonly natsUrl: string;
  },
): NodeJS.ProcessEnv {
  const { plan } = executor;
  return {
    ...passed(env),
    NATS_URL: executor.natsUrl,
    ...brokerUser(facts, plan.id),
    DOCKET_EXECUTOR_ID: plan.id,
    ...poolEnvironment(plan),
    DOCKET_SERVER_URL: facts.ports.map((port) => localUrl(facts.host, port)).join(","),
    DOCKET_TOPOLOGY_PREFIX: facts.topologyPrefix,
    DOCKET_WORK_DIR: executor.workDir,
    DOCKET_UID: String(executor.uid),
    DOCKET_SLOT_UID_BASE: String(executor.slotUidBase),
    DOCKET_CPU_WEIGHT: String(CPU_WEIGHTS[plan.profile]),
    DOCKET_BWRAP: facts.bwrap,
    DOCKET_TOOLCHAIN_DIR: facts.toolchainDir,
    DOCKET_HEALTH_PORT: "0",
    DOCKET_GRACE_MS: String(facts.graceMs),
  };
}
