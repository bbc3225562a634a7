import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { connectNats } from "../shared/nats.ts";
import type { Topology } from "../shared/topology.ts";
import type { Child } from "./child.ts";
import type { StackDeps } from "./deps.ts";
import type { BrokerAccess } from "./environment.ts";
import { derive } from "./identity.ts";
import { keepAlive, type Kept } from "./keepalive.ts";
import { startMongod } from "./mongod.ts";
import { startNatsServer } from "./natsserver.ts";
import { authorizationConf, executorAllowance, SERVER_USER } from "./natsusers.ts";
import { lanesOf } from "../shared/lane.ts";
import type { ExecutorPlan } from "./pools.ts";
import { PreflightError } from "./preflight.ts";

/** Database and broker of a stack: our own, or somebody else's. */
export interface Backing {
  readonly mongodbUrl: string;
  readonly nats: BrokerAccess;
  /** The broker with the user that may do everything. */
  readonly access: { readonly url: string; readonly user?: string; readonly password?: string };
}

export interface BackingInput {
  readonly binFolder: string;
  readonly executors: readonly ExecutorPlan[];
  readonly keep: (process: Kept) => void;
  readonly topologyPrefix?: string | undefined;
  readonly mongodbUrl?: string | undefined;
  readonly mongodCacheMiB?: number | undefined;
  readonly natsUrl?: string | undefined;
  readonly natsUser?: string | undefined;
  readonly natsPassword?: string | undefined;
}

const NATS_CONNECT_MS = 5_000;

/** Starts mongod and nats-server side by side, each unless a URL is given. Throws PreflightError and start errors. */
export async function startBacking(deps: StackDeps, input: BackingInput): Promise<Backing> {
  const [mongodb, broker] = await Promise.allSettled([
    input.mongodbUrl === undefined ? ownMongod(deps, input) : input.mongodbUrl,
    input.natsUrl === undefined ? ownNats(deps, input) : externalNats(input.natsUrl, input),
  ]);
  if (mongodb.status === "rejected") throw mongodb.reason;
  if (broker.status === "rejected") throw broker.reason;
  return { mongodbUrl: mongodb.value, ...broker.value };
}

async function ownMongod(deps: StackDeps, input: BackingInput): Promise<string> {
  const onLine = await deps.logs.writer("mongod");
  let url = "";
  const start = async (born: (child: Child) => void): Promise<void> => {
    const mongod = await startMongod(
      { ...deps, born: bornIn(deps, born) },
      {
        binary: await realpath(join(input.binFolder, "mongod")),
        folder: join(deps.data.path, "mongod"),
        uid: deps.block?.service,
        cacheMiB: input.mongodCacheMiB,
        onLine,
      },
    );
    url = mongod.url;
  };
  input.keep(await keepAlive("mongod", start, deps.tell));
  return url;
}

async function ownNats(deps: StackDeps, input: BackingInput): Promise<Pick<Backing, "nats" | "access">> {
  const onLine = await deps.logs.writer("nats-server");
  const { server, authorization } = brokerUsers(deps, input);
  // Any port the first time; the same one in every later life, as clients reconnect to it.
  const known = { url: "", port: 0 };
  const start = async (born: (child: Child) => void): Promise<void> => {
    const nats = await startNatsServer(
      { ...deps, born: bornIn(deps, born) },
      {
        binary: await realpath(join(input.binFolder, "nats-server")),
        folder: join(deps.data.path, "nats"),
        port: known.port,
        uid: deps.block?.service,
        authorization,
        user: server,
        onLine,
      },
    );
    Object.assign(known, { url: nats.url, port: nats.port });
  };
  input.keep(await keepAlive("nats-server", start, deps.tell));
  return {
    nats: { url: known.url },
    access: { url: known.url, user: server.name, password: server.password },
  };
}

/** The user that may do everything, and the configuration with a user for every process. */
export function brokerUsers(deps: StackDeps, input: Pick<BackingInput, "executors" | "topologyPrefix">) {
  const topology: Topology = { prefix: input.topologyPrefix ?? "", replicas: 1 };
  const server = { name: SERVER_USER, password: derive(deps.identity, `nats:${SERVER_USER}`) };
  const authorization = authorizationConf([
    server,
    ...input.executors.map((plan) => ({
      name: plan.id,
      password: derive(deps.identity, `nats:${plan.id}`),
      allow: executorAllowance(topology, { ...plan, lanes: lanesOf(plan.lanes) }),
    })),
  ]);
  return { server, authorization };
}

/** Remembers each new process in the data folder, too. */
export const bornIn =
  (deps: StackDeps, born: (child: Child) => void) =>
  (child: Child): void => {
    born(child);
    deps.signal.addEventListener("abort", () => void child.stop(0), { once: true });
    if (deps.signal.aborted) void child.stop(0);
    void deps.data.remember(child.pid);
  };

async function externalNats(url: string, input: BackingInput): Promise<Pick<Backing, "nats" | "access">> {
  const access = { url, user: input.natsUser, password: input.natsPassword };
  try {
    const connection = await connectNats(access, "supervisor", {
      timeout: NATS_CONNECT_MS,
      reconnect: false,
      maxReconnectAttempts: 0,
    });
    try {
      await connection.request("$JS.API.INFO", "", { timeout: NATS_CONNECT_MS });
    } finally {
      await connection.close();
    }
  } catch (error) {
    throw new PreflightError(
      `NATS at NATS_URL=${url} cannot be used: ${error instanceof Error ? error.message : String(error)}.\n` +
        "  It must be reachable, run with JetStream (nats-server -js), and accept NATS_USER and NATS_PASSWORD;\n" +
        "  or leave NATS_URL unset, and Docket starts a nats-server of its own.",
    );
  }
  return {
    nats: { url, external: { user: input.natsUser, password: input.natsPassword } },
    access: {
      url,
      ...(input.natsUser === undefined ? {} : { user: input.natsUser }),
      ...(input.natsPassword === undefined ? {} : { password: input.natsPassword }),
    },
  };
}
