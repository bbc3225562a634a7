import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { namespace } from "../../support/namespace.ts";
import { until } from "../../support/processes.ts";
import { type ServerProcess, startServerProcess } from "../../support/serverprocess.ts";
import { hashApiKey } from "../../../src/server/auth.ts";
import { openStore, type Store } from "../../../src/server/store/store.ts";
import type { JudgeResult } from "../../../src/shared/judging.ts";
import { bearer, submitted, WATCH } from "../http/client.ts";
import { type HeldJob, type Holder, startHolder } from "../http/holder.ts";
import { putProblem } from "../http/testserver.ts";

/** Subscribers that stop reading their sockets. */
const ns = namespace();
const KEY = "key-of-alice";
let server: ServerProcess;
let store: Store;
let holder: Holder;

beforeAll(async () => {
  store = await openStore({ url: ns.mongodbUrl, database: ns.database });
  await store.apiKeys.put({
    _id: hashApiKey(KEY),
    owner: "alice",
    role: "participant",
    createdAt: new Date(),
  });
  await putProblem(store, "sum");
  server = await startServerProcess(ns, { DOCKET_LIMIT_SOCKET_BUFFER_BYTES: "65536" });
  holder = await startHolder(ns.natsUrl, ns.topology);
});
afterAll(async () => {
  await holder.stop();
  server.kill("SIGTERM");
  await server.exited;
  await store.close();
});

/** Every update is about 400 KB: 60 of them are more than all buffers on the way together. */
const UPDATES = 60;
const test = (i: number) => ({
  name: `secret/${i}-${"x".repeat(380)}`,
  verdict: "AC" as const,
  cpuMs: 1,
  wallMs: 1,
  memoryKiB: 1,
});
const TESTS = Array.from({ length: 1_000 }, (_, i) => test(i));

async function flood(held: HeldJob): Promise<void> {
  for (let i = 0; i < UPDATES; i++) {
    await held.progress({ testsTotal: 1_000 + i, tests: TESTS });
    // Each is stored, so that each is told: not merged with the next.
    await until("it is stored", async () => {
      const stored = (await store.snapshots.get(held.job.submission))?.judgement.result;
      return (stored as { testsTotal?: number } | undefined)?.testsTotal === 1_000 + i;
    });
  }
}

const RESULT: JudgeResult = { testsTotal: 1_000, tests: [], verdict: "AC", cpuMs: 1, memoryKiB: 1 };

describe("a subscriber that stops reading", () => {
  it("on a WebSocket holds one update at most, and then sees the newest state and the end", async () => {
    const id = await submitted(server.url, KEY, "sum");
    const held = await holder.take("python");
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
    await once(socket, "open");
    socket.send(JSON.stringify({ type: "connection_init", payload: bearer(KEY) }));
    await once(socket, "message");
    const seen: { revision: number; state: string; testsTotal: number }[] = [];
    let complete = false;
    socket.on("message", (bytes: Buffer) => {
      const frame = JSON.parse(bytes.toString()) as {
        type: string;
        payload?: { data?: { verdictUpdated: (typeof seen)[number] } };
      };
      if (frame.type === "complete") complete = true;
      const update = frame.payload?.data?.verdictUpdated;
      if (update !== undefined) seen.push(update);
    });
    const payload = { query: WATCH, variables: { id } };
    socket.send(JSON.stringify({ id: "1", type: "subscribe", payload }));
    await until("it has the first state", () => seen.length > 0);
    socket.pause();
    await flood(held);
    await held.finished(RESULT);
    socket.resume();
    await until("it has completed", () => complete);
    // What a server keeps for a slow reader it delivers in the end: this one kept next to nothing.
    expect(seen.length).toBeLessThan(UPDATES / 2);
    const revisions = seen.map(({ revision }) => revision);
    expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => a - b));
    expect(seen.at(-1)).toMatchObject({ state: "FINISHED", testsTotal: 1_000 });
    socket.terminate();
  }, 60_000);

  it("on an event stream as well", async () => {
    const id = await submitted(server.url, KEY, "sum");
    const held = await holder.take("python");
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    const body = JSON.stringify({ query: WATCH, variables: { id } });
    socket.write(
      `POST /graphql HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${KEY}\r\nAccept: text/event-stream\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    let text = "";
    socket.on("data", (bytes: Buffer) => (text += bytes.toString()));
    await until("it has the first state", () => text.includes("event: next"));
    socket.pause();
    await flood(held);
    await held.finished(RESULT);
    socket.resume();
    await until("it has completed", () => text.includes("event: complete"));
    const updates = text.split("event: next").length - 1;
    expect(updates).toBeLessThan(UPDATES / 2);
    expect(text.lastIndexOf('"FINISHED"')).toBeGreaterThan(0);
    socket.destroy();
  }, 60_000);

  it("and goes on sending pings is cut", async () => {
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
    await once(socket, "open");
    socket.send(JSON.stringify({ type: "connection_init", payload: bearer(KEY) }));
    await once(socket, "message");
    let gone = false;
    socket.on("error", () => (gone = true));
    socket.on("close", () => (gone = true));
    socket.pause();
    const ping = Buffer.alloc(125);
    await until("it was cut", async () => {
      for (let i = 0; i < 5_000 && socket.readyState === socket.OPEN; i++) socket.ping(ping);
      await new Promise((resolve) => socket.ping(undefined, undefined, resolve));
      return gone || undefined;
    });
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });
});
