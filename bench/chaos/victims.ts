import { jetstreamManager } from "@nats-io/jetstream";
import type { LanguageId } from "../../src/shared/language.ts";
import { connectNats } from "../../src/shared/nats.ts";
import { eventStreamOf } from "../../src/shared/topology.ts";
import type { ProcessEvent } from "../../src/supervisor/keepalive.ts";
import { type Stack, startStack } from "../../src/supervisor/stack.ts";
import { type Proxy, startProxy, targetOf, throughProxy } from "../../test/support/proxy.ts";
import { ONE_OWNER, ONE_OWNER_QUEUED } from "../unlimited.ts";
import type { Books } from "./audit.ts";

/** The stack under attack, with what lies between each executor and the brokers. */
export interface Victims {
  readonly stack: Stack;
  readonly proxies: ReadonlyMap<string, readonly Proxy[]>;
  stop(): Promise<void>;
}

const SCRIPTS: LanguageId[] = ["python", "javascript"];
const COMPILED: LanguageId[] = ["c", "cpp", "go", "rust", "java"];

export async function startVictims(options: {
  readonly cluster: boolean;
  /** All that is submitted may be in the queue at once, though it is of one owner. */
  readonly wholeQueue: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent: (event: ProcessEvent) => void;
  readonly onLine?: ((process: string, line: string) => void) | undefined;
}): Promise<Victims> {
  const proxies = new Map<string, readonly Proxy[]>();
  const closeProxies = async (): Promise<void> => {
    await Promise.all([...proxies.values()].flat().map((proxy) => proxy.close()));
  };
  const owner = options.wholeQueue ? ONE_OWNER_QUEUED : ONE_OWNER;
  const stack = await startStack({
    servers: 2,
    cluster: options.cluster,
    pools: [
      { name: "scripts", languages: SCRIPTS, executors: 3, slots: 2 },
      { name: "compiled", languages: COMPILED, executors: 3, slots: 1 },
    ],
    brokerFor: async (executor, list) => {
      const urls = list.split(",");
      const between = await Promise.all(urls.map((url) => startProxy(targetOf(url))));
      proxies.set(executor, between);
      return between.map((proxy, index) => throughProxy(urls[index] ?? "", proxy)).join(",");
    },
    env: process.env,
    // A queue for each of these and no other: on a cluster each of its lanes is a group of its own to elect leaders for.
    extraEnv: { server: { ...owner, DOCKET_LANGUAGES: [...SCRIPTS, ...COMPILED].join(",") } },
    signal: options.signal,
    onEvent: options.onEvent,
    onLine: options.onLine,
  }).catch(async (error: unknown) => {
    await closeProxies();
    throw error;
  });
  return {
    stack,
    proxies,
    stop: async () => {
      await stack.stop();
      await closeProxies();
    },
  };
}

const LOOK_MS = 1_000;

/** Of a cluster: the broker that leads the event stream, and the database node that is primary; as far as they say. */
export async function leadersOf(stack: Stack, books: Books): Promise<string[]> {
  const broker = async (): Promise<string[]> => {
    const nats = await connectNats(stack.nats, "chaos-leader", { timeout: LOOK_MS });
    try {
      const jsm = await jetstreamManager(nats, { timeout: LOOK_MS, checkAPI: false });
      const { cluster } = await jsm.streams.info(
        eventStreamOf({ prefix: stack.topologyPrefix, replicas: 1 }),
      );
      return cluster?.leader === undefined ? [] : [cluster.leader];
    } finally {
      await nats.close();
    }
  };
  const database = async (): Promise<string[]> => {
    const hello = await books.db.admin().command({ hello: 1, maxTimeMS: LOOK_MS });
    const name = /(mongod-\d+)\.sock/.exec(String(hello["primary"]))?.[1];
    return name === undefined ? [] : [name];
  };
  const told = await Promise.all([broker, database].map((ask) => ask().catch((): string[] => [])));
  return told.flat();
}
