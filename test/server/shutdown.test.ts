import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { hashApiKey } from "../../src/server/auth.ts";
import { openStore, type Store } from "../../src/server/store/store.ts";
import { namespace } from "../support/namespace.ts";
import { until } from "../support/processes.ts";
import { type Proxy, startProxy, targetOf, throughProxy } from "../support/proxy.ts";
import { type ServerProcess, startServerProcess } from "../support/serverprocess.ts";
import { submit } from "./http/client.ts";
import { putProblem } from "./http/testserver.ts";

/** Server processes that are told to stop while a request is under way: MongoDB answers it late, or never. */
const ns = namespace();
const KEY = "key-of-alice";
const INPUT = { problem: "sum", language: "python", source: "print(1)\n" };
let store: Store;
let mongo: Proxy;

beforeAll(async () => {
  store = await openStore({ url: ns.mongodbUrl, database: ns.database });
  const createdAt = new Date();
  await store.apiKeys.put({ _id: hashApiKey(KEY), owner: "alice", role: "participant", createdAt });
  await putProblem(store, "sum");
  mongo = await startProxy(targetOf(ns.mongodbUrl));
});
afterEach(() => mongo.heal());
afterAll(async () => {
  await mongo.close();
  await store.close();
});

const start = (graceMs: number): Promise<ServerProcess> =>
  startServerProcess(
    { ...ns, mongodbUrl: throughProxy(ns.mongodbUrl, mongo) },
    { DOCKET_GRACE_MS: String(graceMs), DOCKET_LOG_LEVEL: "info" },
  );

/** A submission that hangs at the database. */
async function hanging(
  server: ServerProcess,
): Promise<{ answer: Promise<Awaited<ReturnType<typeof submit>> | "cut"> }> {
  // The key and the problem are remembered from here on.
  await submit(server.url, KEY, INPUT);
  mongo.flow("hold");
  const answer = submit(server.url, KEY, { ...INPUT, source: "print(2)\n" }).catch(() => "cut" as const);
  const before = mongo.bytes("toServer");
  await until("it has come to the database", () => mongo.bytes("toServer") > before);
  // In an object: a promise for a promise would wait for both.
  return { answer };
}

const told = (server: ServerProcess): Promise<true> =>
  until("it has heard the signal", () => server.log().includes('"stopping"') || undefined);

describe("a server told to stop", () => {
  it("answers what is under way, takes nothing new, and exits 0", async () => {
    const server = await start(8_000);
    const { answer } = await hanging(server);
    server.kill("SIGTERM");
    await told(server);
    await expect(fetch(`${server.url}/livez`)).rejects.toThrow("fetch failed");
    mongo.heal();
    expect(await answer).toMatchObject({ type: "SubmitSubmissionSuccess" });
    expect(await server.exited).toBe(0);
  });

  it("a second time does not wait, and exits 130", async () => {
    const server = await start(8_000);
    const { answer } = await hanging(server);
    server.kill("SIGTERM");
    await told(server);
    const begun = performance.now();
    server.kill("SIGTERM");
    expect(await server.exited).toBe(130);
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(await answer).toBe("cut");
  });

  it("ends within its grace time, whatever hangs", async () => {
    const server = await start(3_000);
    const { answer } = await hanging(server);
    const begun = performance.now();
    server.kill("SIGTERM");
    expect([0, 130]).toContain(await server.exited);
    expect(performance.now() - begun).toBeLessThan(4_000);
    await answer;
  });
});
