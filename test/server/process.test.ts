import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { hashApiKey } from "../../src/server/auth.ts";
import { openStore } from "../../src/server/store/store.ts";
import { namespace } from "../support/namespace.ts";
import { until } from "../support/processes.ts";
import { startProxy } from "../support/proxy.ts";
import { bearer, submitted, watchByStream } from "./http/client.ts";
import { freePort, putProblem } from "./http/testserver.ts";

const space = namespace();
const MAIN = new URL("../../src/server/main.ts", import.meta.url).pathname;
const running = new Set<ChildProcessWithoutNullStreams>();

const environment = (): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "",
  MONGODB_URL: space.mongodbUrl,
  MONGODB_DATABASE: space.database,
  NATS_URL: space.natsUrl,
  DOCKET_TOPOLOGY_PREFIX: space.topology.prefix,
  DOCKET_PORT: "0",
  DOCKET_CAPABILITY_SECRET: "a secret of at least thirty-two characters",
  DOCKET_GRACE_MS: "5000",
});

/** A server process: its first line on stdout if it comes, its words on stderr, its exit code. */
function start(more: Record<string, string> = {}) {
  const child = spawn(process.execPath, [MAIN], { env: { ...environment(), ...more } });
  running.add(child);
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const exit = once(child, "exit").then(([code]) => {
    running.delete(child);
    return code as number | null;
  });
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  const ready = new Promise<string>((resolve, reject) => {
    reader.on("line", (line) => {
      lines.push(line);
      const { url } = JSON.parse(line) as { url: string };
      resolve(url);
    });
    exit.then((code) => reject(new Error(`exit ${code}: ${stderr}`)), reject);
  });
  ready.catch(() => undefined);
  return { child, ready, exit, stderr: () => stderr, lines };
}

afterEach(async () => {
  const left = [...running];
  for (const child of left) child.kill("SIGKILL");
  await Promise.all(left.map((child) => once(child, "exit")));
});

const KEY = "key-of-alice";

async function prepare() {
  const store = await openStore({ url: space.mongodbUrl, database: space.database });
  const createdAt = new Date();
  await store.apiKeys.put({ _id: hashApiKey(KEY), owner: "alice", role: "participant", createdAt });
  await putProblem(store, "sum");
  await store.close();
  return { problem: "sum" };
}

describe("the server process", () => {
  it("says when it is ready, in one line", async () => {
    const server = start();
    const url = await server.ready;
    expect(server.lines).toEqual([`{"ready":true,"url":"${url}"}`]);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    server.child.kill("SIGTERM");
    expect(await server.exit).toBe(0);
    await expect(fetch(`${url}/livez`)).rejects.toThrow("fetch failed");
  });

  it("logs JSON lines only", async () => {
    const server = start({ DOCKET_LOG_LEVEL: "debug" });
    await server.ready;
    server.child.kill("SIGINT");
    expect(await server.exit).toBe(0);
    const lines = server.stderr().trim().split("\n");
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) expect(JSON.parse(line)).toHaveProperty("part", "server");
  });

  it("tells WebSocket clients to come again, and ends long polls and event streams, when it stops", async () => {
    const { problem } = await prepare();
    const server = start();
    const url = await server.ready;
    const id = await submitted(url, KEY, problem);
    expect(server.stderr()).toContain(`"submission":"${id}"`);
    const socket = new WebSocket(`${url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
    await once(socket, "open");
    socket.send(JSON.stringify({ type: "connection_init", payload: { Authorization: `Bearer ${KEY}` } }));
    await once(socket, "message");
    const closed = once(socket, "close");
    const stream = watchByStream(url, KEY, id);
    const { value } = await stream.next();
    const revision = value?.revision ?? 0;
    const poll = fetch(`${url}/submissions/${id}?afterRevision=${revision + 1_000}&waitMs=30000`, {
      headers: bearer(KEY),
    });
    // Both are held by the server before it stops: the poll is the second watch of the submission.
    await expect.poll(async () => (await fetch(`${url}/metrics`)).text()).toContain("docket_feed_watchers 2");
    const startedAt = performance.now();
    server.child.kill("SIGTERM");
    const [code] = await closed;
    expect(code).toBe(1012);
    expect((await poll).status).toBe(200);
    const readOn = async (): Promise<void> => {
      for (let next = await stream.next(); next.done !== true; next = await stream.next());
    };
    await expect(readOn()).rejects.toThrow("terminated");
    expect(await server.exit).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(2_500);
  });

  it("does not wait for a client that hangs", async () => {
    await prepare();
    const server = start();
    const url = await server.ready;
    const socket = new WebSocket(`${url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
    await once(socket, "open");
    socket.send(JSON.stringify({ type: "connection_init", payload: { Authorization: `Bearer ${KEY}` } }));
    await once(socket, "message");
    socket.pause();
    const startedAt = performance.now();
    server.child.kill("SIGTERM");
    expect(await server.exit).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(3_500);
    socket.terminate();
  });

  it("killed between the publish and the answer, leaves one submission that the repeated request finds", async () => {
    const { problem } = await prepare();
    const dying = start({ DOCKET_CRASH_AT: "dispatch.afterPublish" });
    const post = async (url: string): Promise<Response> =>
      await fetch(`${url}/submissions`, {
        method: "POST",
        headers: { "content-type": "application/json", "idempotency-key": "crash", ...bearer(KEY) },
        body: JSON.stringify({ problem, language: "python", source: "print('crash')\n" }),
      });
    await expect(post(await dying.ready)).rejects.toThrow("fetch failed");
    // By a signal: no code.
    expect(await dying.exit).toBeNull();
    const url = await start().ready;
    const answers = [await post(url), await post(url)];
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    expect(new Set(answers.map(({ headers }) => headers.get("location"))).size).toBe(1);
    const store = await openStore({ url: space.mongodbUrl, database: space.database });
    const all = await store.snapshots.page({ owner: "alice", first: 100 });
    expect(all.filter(({ submission }) => submission.idempotencyKey === "crash")).toHaveLength(1);
    await store.close();
  });

  it("lists everything that is wrong with its environment and exits 78", async () => {
    const server = start({
      MONGODB_URL: "",
      NATS_URL: "",
      DOCKET_CAPABILITY_SECRET: "short",
      DOCKET_PORT: "99999",
      DOCKET_LIMIT_PAGE_SIZE: "many",
    });
    expect(await server.exit).toBe(78);
    for (const name of [
      "MONGODB_URL",
      "NATS_URL",
      "DOCKET_CAPABILITY_SECRET",
      "DOCKET_PORT",
      "DOCKET_LIMIT_PAGE_SIZE",
    ]) {
      expect(server.stderr()).toContain(name);
    }
    expect(server.stderr()).not.toContain("    at ");
  });

  it("says in plain words that its port is taken and exits 78", async () => {
    const other = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => void other.listen(port, "127.0.0.1", resolve));
    const server = start({ DOCKET_PORT: String(port), DOCKET_LOG_LEVEL: "silent" });
    expect(await server.exit).toBe(78);
    expect(server.stderr()).toContain(`127.0.0.1:${port} is in use`);
    other.close();
  });

  it("waits for MongoDB, says so, and serves when it is there", async () => {
    // The tests' mongod listens on a Unix socket.
    const proxy = await startProxy({ path: decodeURIComponent(new URL(space.mongodbUrl).hostname) });
    proxy.accept(false);
    const server = start({ MONGODB_URL: `mongodb://127.0.0.1:${proxy.port}/?directConnection=true` });
    await until(
      "it says what it waits for",
      () => server.stderr().includes(`MongoDB does not answer at mongodb://127.0.0.1:${proxy.port}`),
      60_000,
    );
    proxy.accept(true);
    expect((await fetch(`${await server.ready}/readyz`)).status).toBe(200);
    server.child.kill("SIGTERM");
    expect(await server.exit).toBe(0);
    await proxy.close();
  }, 90_000);

  it("ends at once when it is stopped while it waits for MongoDB, and shows no password", async () => {
    const url = `mongodb://user:secret@127.0.0.1:${await freePort()}/`;
    const server = start({ MONGODB_URL: url });
    await until("it waits", () => server.stderr().includes("does not answer"), 60_000);
    server.child.kill("SIGTERM");
    expect(await server.exit).toBe(0);
    expect(server.stderr()).not.toContain("secret");
  }, 90_000);

  it.each([
    [
      "refuses its user",
      () => space.mongodbUrl.replace("://", "://nobody:secret@"),
      /refuses the user.*MONGODB_URL/,
    ],
    ["has no usable address", () => "mongodb://secret:27017x/", /not usable.*MONGODB_URL/],
  ])("says in plain words that MongoDB %s and exits 78", async (_what, url, words) => {
    const server = start({ MONGODB_URL: url() });
    expect(await server.exit).toBe(78);
    expect(server.stderr()).toMatch(words);
    expect(server.stderr()).not.toContain("    at ");
  });

  it("starts without NATS", async () => {
    const port = await freePort();
    const server = start({ NATS_URL: `nats://127.0.0.1:${port}`, DOCKET_LOG_LEVEL: "silent" });
    const url = await server.ready;
    expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({ status: "degraded" });
    server.child.kill("SIGTERM");
    expect(await server.exit).toBe(0);
  });
});
