import { once } from "node:events";
import { type ClientRequest, request } from "node:http";
import { connect } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import { namespace } from "../../support/namespace.ts";
import { bearer, graphql, refusals, submitted, watchByStream } from "./client.ts";
import { startTestServer, type TestServer } from "./testserver.ts";

const space = namespace();
const spaceOfFew = namespace();
let server: TestServer;
let alice: string;
let jury: string;
let id: string;
const held: ClientRequest[] = [];

beforeAll(async () => {
  server = await startTestServer(space, {
    limits: { requestsAtOnce: 3, importsAtOnce: 1, connectionsPerOwner: 2, longPollMs: 20_000 },
  });
  alice = await server.key("alice");
  jury = await server.key("judge", "jury");
  await server.problem("sum");
  id = await submitted(server.url, alice, "sum");
});
afterAll(() => server.stop());
afterEach(async () => {
  for (const one of held.splice(0)) one.destroy();
  await expect.poll(asked).toBe(200);
});

const asked = async (): Promise<number> => (await graphql(server.url, alice, "{ __typename }")).status;

/** A request whose body never comes: it keeps what it was given for as long as the test likes. */
function begin(path: string, headers: Record<string, string>, start = "{"): void {
  const call = request(`${server.url}${path}`, {
    method: "POST",
    headers: { "content-length": "1000", ...headers },
  });
  call.on("error", () => undefined);
  call.write(start);
  held.push(call);
}

const json = (key: string) => ({ "content-type": "application/json", ...bearer(key) });

/** Waits for something newer than that it is in the queue. */
async function longPoll(key: string, submission: string): Promise<Response> {
  const url = `${server.url}/submissions/${submission}`;
  for (;;) {
    const now = await (await fetch(url, { headers: bearer(key) })).json();
    const { revision, state } = z.object({ revision: z.int(), state: z.string() }).parse(now);
    if (state === "PENDING") continue;
    return await fetch(`${url}?afterRevision=${revision}&waitMs=20000`, { headers: bearer(key) });
  }
}

const poll = (key: string, query: string): Promise<Response> =>
  fetch(`${server.url}/submissions/${id}?${query}`, { headers: bearer(key) });

/** Whoever waits for the submission hears of its end. */
const cancel = async (key: string, submission: string): Promise<void> => {
  const query = "mutation ($id: ID!) { cancelSubmission(input: { id: $id }) { __typename } }";
  await graphql(server.url, key, query, { id: submission });
};

describe("requests at once", () => {
  it("beyond requestsAtOnce are told to come again; health and metrics answer all the same", async () => {
    for (let n = 0; n < 3; n++) begin("/submissions", json(alice));
    await expect.poll(asked).toBe(503);
    const refused = await poll(alice, "");
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await refused.json()).toMatchObject({
      code: "SERVICE_UNAVAILABLE",
      detail: expect.stringContaining("requestsAtOnce") as string,
    });
    expect((await fetch(`${server.url}/livez`)).status).toBe(200);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    expect(await refusals(server, "requestsAtOnce")).toBeGreaterThan(0);
  });

  it("are not those that wait for news", async () => {
    const bob = await server.key("bob");
    const bobs = await submitted(server.url, bob, "sum");
    const waiting = [watchByStream(server.url, bob, bobs), watchByStream(server.url, alice, id)];
    for (const one of waiting) await one.next();
    const polled = longPoll(alice, id);
    await expect.poll(asked).toBe(200);
    begin("/submissions", json(alice));
    begin("/submissions", json(alice));
    // The third place is still there for whoever asks.
    await expect.poll(asked).toBe(200);
    for (const one of waiting) await one.return(undefined);
    await cancel(alice, id);
    expect((await polled).status).toBe(200);
  });
});

describe("long polls", () => {
  it("are connections of their owner while they wait", async () => {
    const carol = await server.key("carol");
    const hers = await submitted(server.url, carol, "sum");
    const wait = (): Promise<Response> => longPoll(carol, hers);
    const first = wait();
    const second = wait();
    // Each one that finds no place is answered at once.
    const third = await Promise.race([first, second, wait()]);
    expect(third.status).toBe(429);
    expect(third.headers.get("retry-after")).toBe("5");
    expect(await third.json()).toMatchObject({ code: "TOO_MANY_CONNECTIONS" });
    const socket = new WebSocket(`${server.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
    await once(socket, "open");
    socket.send(JSON.stringify({ type: "connection_init", payload: { Authorization: `Bearer ${carol}` } }));
    expect((await once(socket, "close"))[0]).toBe(1013);
    expect(await refusals(server, "connectionsPerOwner")).toBeGreaterThanOrEqual(2);
    await cancel(carol, hers);
    const ended = await Promise.all([first, second, wait()]);
    expect(ended.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(2);
  });

  it("wait for no longer than longPollMs", async () => {
    const answer = await poll(alice, "afterRevision=1&waitMs=20001");
    expect(await answer.json()).toMatchObject({
      code: "INPUT_INVALID",
      detail: expect.stringContaining("longPollMs") as string,
    });
  });
});

describe("imports at once", () => {
  it("beyond importsAtOnce are refused unread, in either form", async () => {
    const boundary = "----x";
    const multipart = { "content-type": `multipart/form-data; boundary=${boundary}`, ...bearer(jury) };
    const upload = async (): Promise<{ status: number; text: string }> => {
      const form = new FormData();
      form.append("operations", "{}");
      const body = { method: "POST", headers: bearer(jury), body: form };
      const response = await fetch(`${server.url}/graphql`, body);
      return { status: response.status, text: await response.text() };
    };
    const uploadBesides = async (): Promise<number> => {
      // Refused itself where the one before has the place still.
      begin("/graphql", multipart, `--${boundary}\r\n`);
      return (await upload()).status;
    };
    await expect.poll(uploadBesides).toBe(503);
    expect((await upload()).text).toContain("importsAtOnce");
    const inline = `mutation { importProblem(input: { archiveBase64: "eA==" }) {
      type: __typename ... on ServiceUnavailable { code retryAfterMs } } }`;
    expect((await graphql(server.url, jury, inline)).data).toEqual({
      importProblem: { type: "ServiceUnavailable", code: "SERVICE_UNAVAILABLE", retryAfterMs: 5_000 },
    });
    expect(await refusals(server, "importsAtOnce")).toBeGreaterThanOrEqual(2);
    for (const one of held.splice(0)) one.destroy();
    const later = async (): Promise<unknown> => (await graphql(server.url, jury, inline)).data;
    await expect.poll(later).toEqual({ importProblem: { type: "PackageRefused" } });
  });
});

it("a request redrives no more than redrivesPerRequest", async () => {
  const query = `mutation { redriveDeadLetters(input: { all: true, limit: 1001 }) {
    ... on UserError { code message } } }`;
  const { data } = await graphql(server.url, jury, query);
  expect(data?.["redriveDeadLetters"]).toMatchObject({
    code: "INPUT_INVALID",
    message: expect.stringContaining("redrivesPerRequest") as string,
  });
});

it("connections beyond the limit connections are closed unheard", async () => {
  const few = await startTestServer(spaceOfFew, { limits: { connections: 2 } });
  try {
    const open = async () => {
      const socket = connect(Number(new URL(few.url).port), "127.0.0.1");
      socket.on("error", () => undefined);
      await once(socket, "connect");
      return socket;
    };
    const first = await open();
    const second = await open();
    const third = await open();
    await once(third, "close");
    const metrics = (): Promise<string> =>
      fetch(`${few.url}/metrics`, { headers: { connection: "close" } }).then(
        (response) => response.text(),
        () => "",
      );
    first.destroy();
    await expect.poll(metrics).toMatch(/docket_refused_total\{limit="connections"\} [1-9]/);
    second.destroy();
  } finally {
    await few.stop();
  }
});
