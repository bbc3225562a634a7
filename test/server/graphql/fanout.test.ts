import { afterAll, beforeAll, expect, it } from "vitest";
import { namespace } from "../../support/namespace.ts";
import { socketClient, submitted, Update, WATCH } from "../http/client.ts";
import { startTestServer, type TestServer } from "../http/testserver.ts";

const space = namespace();
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer(space);
});
afterAll(() => server.stop());

it("gives each of 500 subscribers every final state once, with revisions that grow", async () => {
  const key = await server.key("alice");
  await server.problem("sum");
  const ids = await Promise.all(Array.from({ length: 5 }, () => submitted(server.url, key, "sum")));
  const clients = Array.from({ length: 5 }, () =>
    socketClient(server.url, { Authorization: `Bearer ${key}` }),
  );
  let subscribed = 0;
  const watch = async (client: (typeof clients)[number], id: string): Promise<Update[]> => {
    const seen: Update[] = [];
    for await (const { data } of client.iterate({ query: WATCH, variables: { id } })) {
      if (seen.length === 0) subscribed += 1;
      seen.push(Update.parse(data?.["verdictUpdated"]));
    }
    return seen;
  };
  const watching = Promise.all(
    clients.flatMap((client) => ids.flatMap((id) => Array.from({ length: 20 }, () => watch(client, id)))),
  );
  await expect.poll(() => subscribed, { timeout: 20_000 }).toBe(500);
  for (const _id of ids) {
    const held = await server.holder.take("python");
    await held.started();
    await held.finished({ testsTotal: 0, tests: [], verdict: "AC", cpuMs: 0, memoryKiB: 0 });
  }
  for (const seen of await watching) {
    expect(seen.filter(({ state }) => state === "FINISHED")).toHaveLength(1);
    expect(seen.at(-1)).toMatchObject({ state: "FINISHED", verdict: "AC" });
    const revisions = seen.map(({ revision }) => revision);
    expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => a - b));
  }
  for (const client of clients) await client.dispose();
});
