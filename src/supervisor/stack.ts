import { chmod, mkdir, mkdtemp, realpath, rm, stat } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { readLimits } from "../shared/limits.ts";
import { createClient } from "../cli/client.ts";
import { type Autoscaler, startAutoscaler } from "./autoscaler.ts";
import { startBacking } from "./backing.ts";
import { NODES, removeSockets, startClusterBacking } from "./clusterbacking.ts";
import { type DataFolder, takeDataFolder } from "./datafolder.ts";
import type { StackDeps } from "./deps.ts";
import { localUrl, type StackFacts } from "./environment.ts";
import { createExecutorSet } from "./executorset.ts";
import { identityOf } from "./identity.ts";
import type { Kept, ProcessEvent } from "./keepalive.ts";
import { ensureLocalKeys } from "./localkeys.ts";
import { openLogFolder } from "./logfolder.ts";
import { type PoolConfig, checkRoom, planExecutors, scaleOf, withTheirDevices } from "./pools.ts";
import { checkCanIsolate, checkReachable, freePort } from "./preflight.ts";
import { startServer } from "./processes.ts";
import { takeUidBlock, type UidBlock } from "./uidblock.ts";
import { startWatchdog } from "./watchdog.ts";

export interface StackOptions {
  /** Kept between starts. Left out: a temporary one, removed at stop. */
  readonly dataFolder?: string | undefined;
  /** Folder with mongod, nats-server and bwrap; left out: the checkout's `.docket/bin`. */
  readonly binFolder?: string | undefined;
  /** Default 127.0.0.1. */
  readonly host?: string | undefined;
  /** 0 or left out: any free port. */
  readonly port?: number | undefined;
  /** How many server processes, default 1: `server`, `server-2` and so on; the first one has the port. */
  readonly servers?: number | undefined;
  /** Empty: no executors; submissions wait in the queue. */
  readonly pools: readonly PoolConfig[];
  readonly topologyPrefix?: string | undefined;
  /** Three mongod and three nats-server instead of one of each; every stream is kept on all three. */
  readonly cluster?: boolean | undefined;
  /** Copies of each stream in a broker of somebody else, default 1. */
  readonly replicas?: number | undefined;
  /** A MongoDB replica set to use instead of an own mongod. */
  readonly mongodbUrl?: string | undefined;
  /** Cache of our own mongod, default 256. */
  readonly mongodCacheMiB?: number | undefined;
  /** Default `docket`. */
  readonly database?: string | undefined;
  /** A nats-server to use instead of an own one, with its user where it has any. */
  readonly natsUrl?: string | undefined;
  readonly natsUser?: string | undefined;
  readonly natsPassword?: string | undefined;
  /** Where to take PATH, DOCKET_LIMIT_* and such from; usually process.env. */
  readonly env: NodeJS.ProcessEnv;
  /** The URL by which an executor reaches the broker, given the broker's own: for a proxy in between. */
  readonly brokerFor?: ((executor: string, url: string) => Promise<string>) | undefined;
  /** More variables for one process, by name, or by "server" (all of them) / "executors". */
  readonly extraEnv?: Readonly<Record<string, NodeJS.ProcessEnv>> | undefined;
  /** Time for each process to stop by itself, milliseconds; default 10,000. */
  readonly graceMs?: number | undefined;
  /** Aborted while it starts: what was started is stopped, and startStack throws. */
  readonly signal?: AbortSignal | undefined;
  /** Hears of starts, deaths and restarts. */
  readonly onEvent?: ((event: ProcessEvent) => void) | undefined;
  /** Hears of every line that a process writes; lines also go to `logs/<process>.log` in the data folder. */
  readonly onLine?: ((process: string, line: string) => void) | undefined;
}

export interface StackProcess {
  readonly name: string;
  /** Undefined between two lives. */
  readonly pid: number | undefined;
}

/** A whole Docket on this machine, supervised by this process. */
export interface Stack {
  /** http://127.0.0.1:PORT */
  readonly url: string;
  /** Of every server, the first one's first. */
  readonly urls: readonly string[];
  /** API keys; the owner behind each is named like its role. */
  readonly keys: { readonly participant: string; readonly jury: string; readonly admin: string };
  readonly mongodbUrl: string;
  readonly database: string;
  /** The broker, with the user that may do everything. */
  readonly nats: { readonly url: string; readonly user?: string; readonly password?: string };
  readonly topologyPrefix: string;
  readonly dataFolder: string;
  /** In the order they were started: mongod, nats-server, server, then the executors. Of a cluster: mongod-1 and so on. */
  processes(): StackProcess[];
  /** Names of the executor processes that run or start, without those that drain: their executor ids. */
  executors(): readonly string[];
  /** From now on pools with `scale` grow and shrink as the server wishes; their names. */
  autoscale(): readonly string[];
  /** Signals one process, SIGKILL by default; it is started again when it dies of it. False when it is down. */
  kill(name: string, signal?: NodeJS.Signals): boolean;
  /** Stops one process and starts it again; resolves when it is ready. */
  restart(name: string): Promise<void>;
  /** Resolves when the process is ready: at once, or after its next start. */
  ready(name: string): Promise<void>;
  /** Stops all in reverse order, and removes a temporary data folder. Safe twice. */
  stop(): Promise<void>;
}

const GRACE_MS = 10_000;
const BIN = join(import.meta.dirname, "../../.docket/bin");

/**
 * Starts everything and resolves when the server and all executors are ready. When something cannot start, what
 * was started is stopped again. Throws PreflightError, DataFolderTaken, NotReady, StoreUnavailable, StoreUnfit.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const undo: (() => Promise<void>)[] = [];
  const stopAll = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  };
  // Only while it starts: a stack that stands is stopped in order, by stop().
  const starting = new AbortController();
  const abort = (): void => starting.abort(options.signal?.reason);
  options.signal?.addEventListener("abort", abort);
  if (options.signal?.aborted === true) abort();
  try {
    const stack = await build(options, starting.signal, undo, stopAll);
    starting.signal.throwIfAborted();
    return stack;
  } catch (error) {
    await stopAll();
    // What was being started then fails for that reason, in its own words.
    throw starting.signal.aborted ? starting.signal.reason : error;
  } finally {
    options.signal?.removeEventListener("abort", abort);
  }
}

async function build(
  options: StackOptions,
  starting: AbortSignal,
  undo: (() => Promise<void>)[],
  stopAll: () => Promise<void>,
): Promise<Stack> {
  const graceMs = options.graceMs ?? GRACE_MS;
  const host = options.host ?? "127.0.0.1";
  if (options.pools.length > 0) await checkCanIsolate();
  const data = await openDataFolder(options.dataFolder, undo);
  const ports = [await freePort(host, options.port ?? 0)];
  while (ports.length < (options.servers ?? 1)) ports.push(await freePort(host, 0));
  const identity = await identityOf(data.path);
  const plans = planExecutors(options.pools, identity.id, availableParallelism());
  const executors = await withTheirDevices(plans);
  checkRoom(executors);
  const block = await ownUidBlock(data.path, undo);
  if (block !== undefined) await checkReachable(data.path);
  const { logBytes } = readLimits(options.env);
  const logs = await openLogFolder({ logBytes, onLine: options.onLine }, join(data.path, "logs"));
  undo.push(() => logs.close());

  const deps: StackDeps = {
    data,
    identity,
    block,
    logs,
    watchdog: startWatchdog(),
    tell: options.onEvent ?? (() => {}),
    signal: starting,
  };
  const kept: Kept[] = [];
  const keep = (process: Kept): void => {
    kept.push(process);
    undo.push(() => process.stop(graceMs));
  };
  const binFolder = options.binFolder ?? BIN;
  if (options.cluster === true) undo.push(() => removeSockets(deps));
  const start = options.cluster === true ? startClusterBacking : startBacking;
  const backing = await start(deps, { ...options, binFolder, executors, keep });
  const database = options.database ?? "docket";
  await ensureLocalKeys({ url: backing.mongodbUrl, database }, identity);
  const facts: StackFacts = {
    identity,
    mongodbUrl: backing.mongodbUrl,
    database,
    nats: backing.nats,
    topologyPrefix: options.topologyPrefix ?? "",
    replicas: options.cluster === true ? NODES : (options.replicas ?? 1),
    host,
    ports,
    bwrap: await bwrapPath(binFolder),
    toolchainDir: await toolchainFolder(binFolder),
    workloads: [...new Set(executors.flatMap((plan) => plan.workloads))],
    scale: scaleOf(options.pools),
    graceMs,
  };
  for (const [index] of ports.entries()) keep(await startServer(deps, facts, { ...options, index }));
  const set = createExecutorSet(deps, facts, { ...options, plans: executors, graceMs });
  // Together: each may use its whole grace time to finish its jobs.
  undo.push(() => set.stop());
  const first = executors.filter((plan) => plan.begins);
  for (const one of await Promise.allSettled(first.map((plan) => set.start(plan)))) {
    if (one.status === "rejected") throw one.reason;
  }

  const all = (): Kept[] => [...kept, ...set.processes()];
  const find = (name: string): Kept => {
    const found = all().find((process) => process.name === name);
    if (found === undefined) {
      throw new Error(
        `no process ${name}; there are ${all()
          .map((process) => process.name)
          .join(", ")}`,
      );
    }
    return found;
  };
  const url = localUrl(host, ports[0] ?? 0);
  let autoscaler: Autoscaler | undefined;
  return {
    url,
    urls: ports.map((port) => localUrl(host, port)),
    keys: identity.keys,
    mongodbUrl: facts.mongodbUrl,
    database,
    nats: backing.access,
    topologyPrefix: facts.topologyPrefix,
    dataFolder: data.path,
    executors: () => set.plans().map((plan) => plan.id),
    processes: () => all().map((process) => ({ name: process.name, pid: process.pid() })),
    kill: (name, signal = "SIGKILL") => find(name).kill(signal),
    restart: async (name) => await find(name).restart(graceMs),
    ready: async (name) => await find(name).ready(),
    autoscale: () => {
      const pools = Object.keys(facts.scale);
      if (pools.length === 0 || autoscaler !== undefined) return pools;
      const client = createClient({ url, token: identity.keys.jury });
      autoscaler = startAutoscaler({ set, client, tell: deps.tell }, { pools });
      undo.push(async () => {
        await autoscaler?.stop();
        await client.close();
      });
      return pools;
    },
    stop: stopAll,
  };
}

async function toolchainFolder(binFolder: string): Promise<string> {
  const folder = join(binFolder, "../toolchains");
  await mkdir(folder, { recursive: true });
  // Programs are shown what lies in it, under whatever user.
  await chmod(folder, 0o755);
  return await realpath(folder);
}

/** The real path: links in `.docket/bin` may lie where an executor's user cannot look. */
const bwrapPath = async (binFolder: string): Promise<string> =>
  await realpath(join(binFolder, "bwrap")).catch(() => "bwrap");

/** Only root can give processes users of their own. */
async function ownUidBlock(folder: string, undo: (() => Promise<void>)[]): Promise<UidBlock | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const earlier = await stat(join(folder, "nats")).catch(() => undefined);
  const block = await takeUidBlock(earlier?.uid);
  undo.push(async () => block.release());
  return block;
}

async function openDataFolder(
  wanted: string | undefined,
  undo: (() => Promise<void>)[],
): Promise<DataFolder> {
  const folder = wanted ?? (await mkdtemp(join(tmpdir(), "docket-")));
  if (wanted === undefined) {
    undo.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  }
  const data = await takeDataFolder(folder);
  undo.push(() => data.release());
  return data;
}
