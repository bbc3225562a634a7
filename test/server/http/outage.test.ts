import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type Mongod, startMongod } from "../../../src/supervisor/mongod.ts";
import { type NatsServer, startNatsServer } from "../../../src/supervisor/natsserver.ts";
import { startWatchdog } from "../../../src/supervisor/watchdog.ts";
import { binaryPath } from "../../support/binaries.ts";
import { bearer, graphql, submit } from "./client.ts";
import { startTestServer, type TestServer } from "./testserver.ts";

/** A mongod and a nats-server of this suite's own, to take away. */
const watchdog = startWatchdog();
let folder: string;
let mongod: Mongod;
let nats: NatsServer;
let server: TestServer;
let alice: string;

const startNats = (port?: number): Promise<NatsServer> =>
  startNatsServer(
    { watchdog },
    {
      binary: binaryPath("nats-server"),
      folder: join(folder, "nats"),
      ...(port === undefined ? {} : { port }),
    },
  );
const startMongo = (): Promise<Mongod> =>
  startMongod({ watchdog }, { binary: binaryPath("mongod"), folder: join(folder, "mongod") });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "docket-outage-"));
  [mongod, nats] = await Promise.all([startMongo(), startNats()]);
  server = await startTestServer({
    mongodbUrl: mongod.url,
    natsUrl: nats.url,
    database: "outage",
    topology: { prefix: "", replicas: 1 },
  });
  alice = await server.key("alice");
  await server.problem("sum");
});
afterAll(async () => {
  await server.stop();
  await Promise.all([mongod.child.stop(5_000), nats.child.stop(5_000)]);
  await rm(folder, { recursive: true, force: true });
});

const PROGRAM = { problem: "sum", language: "python", source: "print(1)\n" };
const ready = async (): Promise<{ status: number; body: unknown }> => {
  const response = await fetch(`${server.url}/readyz`);
  return { status: response.status, body: await response.json() };
};

it("takes submissions without NATS, says that it is degraded, and queues them when NATS is back", async () => {
  expect(await ready()).toEqual({ status: 200, body: { status: "ok", reasons: [] } });
  await nats.child.stop(5_000);
  await expect.poll(ready).toMatchObject({ status: 200, body: { status: "degraded" } });
  const answer = await submit(server.url, alice, PROGRAM);
  expect(answer).toMatchObject({ type: "SubmitSubmissionSuccess", submission: { state: "PENDING" } });
  nats = await startNats(nats.port);
  const held = await server.holder.take("python");
  expect(held.job.submission).toBe(answer.submission?.id);
  await expect.poll(ready).toMatchObject({ body: { status: "ok" } });
}, 60_000);

it("answers a typed retryable error on every face while MongoDB is away, and recovers", async () => {
  const before = await submit(server.url, alice, PROGRAM);
  await mongod.child.stop(10_000);
  const first = await submit(server.url, alice, PROGRAM);
  expect(first).toMatchObject({ type: "ServiceUnavailable", code: "SERVICE_UNAVAILABLE" });
  expect(first.retryAfterMs).toBeGreaterThan(0);

  const cancel = `mutation { cancelSubmission(input: { id: "${before.submission?.id}" }) { ... on UserError { code } } }`;
  expect((await graphql(server.url, alice, cancel)).data).toEqual({
    cancelSubmission: { code: "SERVICE_UNAVAILABLE" },
  });

  expect(await ready()).toEqual({
    status: 503,
    body: { status: "unavailable", reasons: ["MongoDB does not answer"] },
  });
  expect((await fetch(`${server.url}/livez`)).status).toBe(200);

  const rest = await fetch(`${server.url}/submissions`, {
    method: "POST",
    headers: { "content-type": "application/json", ...bearer(alice) },
    body: JSON.stringify(PROGRAM),
  });
  expect(rest.status).toBe(503);
  expect(Number(rest.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(await rest.json()).toMatchObject({ code: "SERVICE_UNAVAILABLE" });

  const query = await graphql(server.url, alice, "{ submissions { edges { node { id } } } }");
  expect(query).toMatchObject({ status: 503, codes: ["SERVICE_UNAVAILABLE"] });
  expect(JSON.stringify(query.errors)).not.toContain("mongodb");

  // A key that was not known before: told to come again, without a word about our insides.
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
  await once(socket, "open");
  socket.send(JSON.stringify({ type: "connection_init", payload: { Authorization: "Bearer new" } }));
  const [code, reason] = (await once(socket, "close")) as [number, Buffer];
  expect([code, reason.toString()]).toEqual([1013, "SERVICE_UNAVAILABLE"]);

  mongod = await startMongo();
  await expect
    .poll(async () => (await graphql(server.url, alice, "{ problems { edges { node { id } } } }")).data, {
      timeout: 30_000,
    })
    .toEqual({ problems: { edges: [{ node: { id: "sum" } }] } });
  expect(await submit(server.url, alice, PROGRAM)).toMatchObject({ type: "SubmitSubmissionSuccess" });
}, 90_000);
