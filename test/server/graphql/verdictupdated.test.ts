import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hashApiKey } from "../../../src/server/auth.ts";
import type { JudgeResult, TestReport } from "../../../src/shared/judging.ts";
import { namespace } from "../../support/namespace.ts";
import {
  bearer,
  graphql,
  socketClient,
  submitted,
  type Update,
  WATCH,
  watchByStream,
  watchBySocket,
} from "../http/client.ts";
import { startTestServer, type TestServer } from "../http/testserver.ts";

const space = namespace();
let server: TestServer;
let alice: string;

beforeAll(async () => {
  server = await startTestServer(space, {
    limits: { connectionsPerOwner: 3, subscriptionsPerConnection: 2 },
  });
  alice = await server.key("alice");
  await server.problem("sum");
});
afterAll(() => server.stop());

const TEST: TestReport = { name: "secret/1", verdict: "AC", cpuMs: 5, wallMs: 9, memoryKiB: 100 };
const ACCEPTED: JudgeResult = { testsTotal: 1, tests: [TEST], verdict: "AC", cpuMs: 5, memoryKiB: 100 };

/** Judges the next Python job; `step` is called between the events, and waited for. */
async function judge(step: () => Promise<void> = () => Promise.resolve()): Promise<void> {
  const held = await server.holder.take("python");
  await held.started();
  await step();
  await held.progress({ testsTotal: 1, tests: [] });
  await step();
  await held.finished(ACCEPTED);
}

/** Reads updates up to one that fits. */
async function until(updates: AsyncIterator<Update>, fits: (update: Update) => boolean): Promise<Update> {
  for (let next = await updates.next(); next.done !== true; next = await updates.next()) {
    if (fits(next.value)) return next.value;
  }
  throw new Error("the updates ended before one that fits");
}

describe.each([
  ["WebSocket", watchBySocket],
  ["server-sent events", watchByStream],
])("verdictUpdated over %s", (_name, watch) => {
  it("gives the state now, growing revisions, the verdict, and completes", async () => {
    const id = await submitted(server.url, alice, "sum");
    const seen: Update[] = [];
    const updates = watch(server.url, alice, id);
    const first = await updates.next();
    if (first.done === true) throw new Error("nothing");
    seen.push(first.value);
    const judging = judge();
    for await (const update of updates) seen.push(update);
    await judging;
    expect(["PENDING", "QUEUED"]).toContain(seen[0]?.state);
    expect(seen.at(-1)).toEqual({
      id,
      revision: expect.any(Number),
      state: "FINISHED",
      verdict: "AC",
      testsDone: 1,
      testsTotal: 1,
      tests: [{ name: "secret/1", verdict: "AC" }],
    });
    const revisions = seen.map(({ revision }) => revision);
    expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => a - b));
    // A verdict is there in the final state only.
    expect(seen.slice(0, -1).every(({ verdict }) => verdict === null)).toBe(true);
  });

  it("goes on after a break from the revision that was seen last", async () => {
    const id = await submitted(server.url, alice, "sum");
    let last: Update | undefined;
    await judge(async () => {
      const updates = watch(server.url, alice, id, last?.revision);
      last = await until(updates, ({ state }) => state === "RUNNING");
      await updates.return(undefined);
    });
    const rest: Update[] = [];
    for await (const update of watch(server.url, alice, id, last?.revision)) rest.push(update);
    expect(rest.every(({ revision }) => revision > (last?.revision ?? 0))).toBe(true);
    expect(rest.at(-1)).toMatchObject({ state: "FINISHED", verdict: "AC" });
    // Nothing newer than the final state: completes without an update.
    const nothing: Update[] = [];
    for await (const update of watch(server.url, alice, id, rest.at(-1)?.revision)) nothing.push(update);
    expect(nothing).toEqual([]);
  });

  it("hides other people's submissions", async () => {
    const mallory = await server.key("mallory");
    const id = await submitted(server.url, alice, "sum");
    const reading = watch(server.url, mallory, id).next();
    await expect(reading).rejects.toThrow("SUBMISSION_NOT_FOUND");
    await judge();
  });

  it("ends when the key is revoked", async () => {
    const carol = await server.key("carol");
    const id = await submitted(server.url, carol, "sum");
    const updates = watch(server.url, carol, id);
    await updates.next();
    const ending = (async () => {
      for await (const update of updates) if (update.state === "FINISHED") return update;
      return undefined;
    })();
    await server.store.apiKeys.revoke(hashApiKey(carol));
    const held = await server.holder.take("python");
    await held.started();
    // The server asks again at the first update after it has forgotten the key.
    await expect
      .poll(() => graphql(server.url, carol, "{ __typename }").then(({ status }) => status), {
        timeout: 10_000,
      })
      .toBe(401);
    await held.finished(ACCEPTED);
    await expect(ending).rejects.toThrow("UNAUTHENTICATED");
  });
});

describe("the WebSocket", () => {
  async function closeCode(params: Record<string, unknown>): Promise<number> {
    const client = socketClient(server.url, params);
    const { promise, resolve } = Promise.withResolvers<number>();
    client.on("closed", (event) => resolve((event as CloseEvent).code));
    client.subscribe(
      { query: "{ __typename }" },
      { next: () => undefined, error: () => undefined, complete: () => undefined },
    );
    const code = await promise;
    await client.dispose();
    return code;
  }

  it.each([{}, { Authorization: "Bearer wrong" }, { Authorization: 7 }, { Authorization: "wrong" }])(
    "is closed with 4403 for %j",
    async (params) => {
      expect(await closeCode(params)).toBe(4403);
    },
  );

  it("holds a bounded number of connections of an owner, and takes new ones when some close", async () => {
    const dora = await server.key("dora");
    const params = { Authorization: `Bearer ${dora}` };
    const id = await submitted(server.url, dora, "sum");
    const open = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const updates = watchBySocket(server.url, dora, id);
        await updates.next();
        return updates;
      }),
    );
    expect(await closeCode(params)).toBe(1013);
    const stream = await fetch(`${server.url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "text/event-stream", ...bearer(dora) },
      body: JSON.stringify({ query: WATCH, variables: { id } }),
    });
    expect(stream.status).toBe(429);
    expect(stream.headers.get("retry-after")).toBe("5");
    await stream.body?.cancel();
    await judge();
    for (const updates of open) await updates.return(undefined);
    await expect
      .poll(async () => {
        const seen: Update[] = [];
        try {
          for await (const update of watchBySocket(server.url, dora, id)) seen.push(update);
        } catch {
          return undefined;
        }
        return seen.at(-1)?.state;
      })
      .toBe("FINISHED");
  });

  it("holds a bounded number of subscriptions on one connection", async () => {
    const id = await submitted(server.url, alice, "sum");
    const client = socketClient(server.url, { Authorization: `Bearer ${alice}` });
    const one = client.iterate({ query: WATCH, variables: { id } });
    const two = client.iterate({ query: WATCH, variables: { id } });
    await one.next();
    await two.next();
    const three = client.iterate({ query: WATCH, variables: { id } });
    await expect(three.next()).rejects.toMatchObject([{ extensions: { code: "TOO_MANY_CONNECTIONS" } }]);
    await judge();
    await client.dispose();
  });

  it("runs queries too, with the same limits and without details of our faults", async () => {
    const client = socketClient(server.url, { Authorization: `Bearer ${alice}` });
    const query = "{ submissions { edges { node { id } } } }";
    expect((await client.iterate({ query }).next()).value).toHaveProperty("data.submissions.edges");
    const page = "submissions(first: 100) { edges { node { tests { name verdict } } } }";
    const costly = `{ a: ${page} b: ${page} c: ${page} d: ${page} e: ${page} }`;
    const answer = await client.iterate({ query: costly }).next();
    expect(answer.value).toMatchObject({ errors: [{ extensions: { code: "QUERY_TOO_COMPLEX" } }] });
    await client.dispose();
  });

  it("lets go of a submission as soon as its reader has gone", async () => {
    const id = await submitted(server.url, alice, "sum");
    const watchers = async (): Promise<string | undefined> =>
      /^docket_feed_watchers (\d+)$/m.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1];
    const bySocket = watchBySocket(server.url, alice, id);
    const byStream = watchByStream(server.url, alice, id);
    await Promise.all([bySocket.next(), byStream.next()]);
    expect(await watchers()).toBe("2");
    await Promise.all([bySocket.return(undefined), byStream.return(undefined)]);
    await expect.poll(watchers).toBe("0");
    await judge();
  });
});

describe("what the jury sees of a fault", () => {
  it("is the dead letter with the tries; the owner sees FAILED only", async () => {
    const jury = await server.key("judge", "jury");
    const id = await submitted(server.url, alice, "sum");
    const watching = (async () => {
      let last: Update | undefined;
      for await (const update of watchBySocket(server.url, alice, id)) last = update;
      return last;
    })();
    const held = await server.holder.take("python");
    await held.started();
    await held.fault("the validator does not compile", "secret path /srv");
    expect(await watching).toMatchObject({ state: "FAILED", verdict: null });
    const query = `query ($id: ID!) { submission(id: $id) { state judgement { deadLetter { code reason }
      tries { executor end faultCode message log } } } }`;
    const own = await graphql(server.url, alice, query, { id });
    expect(own.data).toMatchObject({
      submission: { state: "FAILED", judgement: { deadLetter: null, tries: null } },
    });
    const all = await graphql(server.url, jury, query, { id });
    expect(all.data).toMatchObject({
      submission: {
        judgement: {
          deadLetter: { code: "VALIDATOR_FAILED" },
          tries: [
            { executor: "by-hand", end: "fault", faultCode: "VALIDATOR_FAILED", log: "secret path /srv" },
          ],
        },
      },
    });
  });
});
