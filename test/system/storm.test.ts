import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { MongoClient } from "mongodb";
import { afterAll, beforeAll, expect, it } from "vitest";
import { hashApiKey } from "../../src/server/auth.ts";
import { openStore, type Store } from "../../src/server/store/store.ts";
import { connectNats } from "../../src/shared/nats.ts";
import { streamOf } from "../../src/shared/topology.ts";
import {
  type ExecutorProcess,
  executorEnv,
  startExecutorProcess,
  temporaryFolder,
} from "../executors/backbone/stage.ts";
import { submit, watchBySocket } from "../server/http/client.ts";
import { putProblem } from "../server/http/testserver.ts";
import { namespace } from "../support/namespace.ts";
import { type Proxy, startProxy, targetOf, throughProxy } from "../support/proxy.ts";
import { type ServerProcess, startServerProcess } from "../support/serverprocess.ts";

/** Two server processes whose ways to MongoDB and NATS are cut and stopped while the same submission comes in. */
const ns = namespace();
const folder = temporaryFolder();
const KEY = "key-of-alice";
const AT_ONCE = 200;
/** How long the network is bad, milliseconds. */
const TROUBLE_MS = 4_000;

let store: Store;
let servers: ServerProcess[];
let proxies: Proxy[];
let executor: ExecutorProcess;

beforeAll(async () => {
  store = await openStore({ url: ns.mongodbUrl, database: ns.database });
  const createdAt = new Date();
  await store.apiKeys.put({ _id: hashApiKey(KEY), owner: "alice", role: "participant", createdAt });
  await putProblem(store, "sum");
  proxies = [];
  const behind = async (url: string): Promise<string> => {
    const proxy = await startProxy(targetOf(url));
    proxies.push(proxy);
    return throughProxy(url, proxy);
  };
  servers = await Promise.all(
    [0, 1].map(async () =>
      startServerProcess({
        ...ns,
        mongodbUrl: await behind(ns.mongodbUrl),
        natsUrl: await behind(ns.natsUrl),
      }),
    ),
  );
  const workDir = join(folder(), "storm");
  mkdirSync(workDir);
  executor = await startExecutorProcess(
    { ...executorEnv(ns.natsUrl, ns.topology, { id: "storm", workDir }), SLEEP_MS: "1500" },
    { main: join(import.meta.dirname, "sleeper.ts") },
  );
});
afterAll(async () => {
  executor.kill("SIGKILL");
  await executor.exited;
  for (const server of servers) server.kill("SIGTERM");
  await Promise.all(servers.map((server) => server.exited));
  await Promise.all(proxies.map((proxy) => proxy.close()));
  await store.close();
});

/** One client that does not give up: the same request until it has an answer. */
async function persistent(url: string): Promise<string> {
  const input = { problem: "sum", language: "python", source: "print(1)\n", idempotencyKey: "storm" };
  for (;;) {
    const answer = await submit(url, KEY, input).catch(() => undefined);
    if (answer?.submission !== undefined) return answer.submission.id;
    if (answer?.code !== undefined && answer.code !== "SERVICE_UNAVAILABLE") throw new Error(answer.message);
    await sleep(answer?.retryAfterMs ?? 50);
  }
}

it("200 at once of one key, over two servers that lose MongoDB and NATS: one submission, one job, one verdict", async () => {
  let cuts = 0;
  const begun = performance.now();
  const cutting = setInterval(() => {
    if (performance.now() - begun > TROUBLE_MS) return;
    const proxy = proxies[cuts++ % proxies.length];
    if (cuts % 3 === 0) {
      proxy?.flow("swallow");
      setTimeout(() => proxy?.heal(), 200);
    } else proxy?.cut();
  }, 30);
  const ids = await Promise.all(
    Array.from({ length: AT_ONCE }, (_, i) => persistent(servers[i % servers.length]?.url ?? "")),
  ).finally(() => clearInterval(cutting));
  for (const proxy of proxies) proxy.heal();
  expect(cuts).toBeGreaterThan(0);
  expect(new Set(ids).size).toBe(1);
  const [id = ""] = ids;

  const finals: (string | null)[] = [];
  for (const server of servers) {
    for await (const update of watchBySocket(server.url, KEY, id)) {
      if (update.state === "FINISHED") finals.push(update.verdict);
    }
  }
  expect(finals).toEqual(["AC", "AC"]);
  const client = await new MongoClient(ns.mongodbUrl).connect();
  const db = client.db(ns.database);
  expect([
    await db.collection("submissions").countDocuments({ owner: "alice" }),
    // Losers of the race leave judgements of submissions that never came to be; they go after a day.
    await db.collection("judgements").countDocuments({ submission: id }),
  ]).toEqual([1, 1]);
  await client.close();
  const nats = await connectNats({ url: ns.natsUrl }, "test");
  const jsm = await jetstreamManager(nats);
  const { state } = await jsm.streams.info(streamOf(ns.topology, "python"));
  // Ever published: one.
  expect([state.last_seq, state.messages]).toEqual([1, 0]);
  await nats.close();
  expect(executor.log.filter((line) => line.includes("fault reported"))).toEqual([]);
}, 60_000);
