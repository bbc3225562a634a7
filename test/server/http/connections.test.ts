import { once } from "node:events";
import { request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { namespace } from "../../support/namespace.ts";
import { bearer, submitted, watchBySocket, watchByStream } from "./client.ts";
import { startTestServer, type TestServer } from "./testserver.ts";

const space = namespace();
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer(space, { limits: { connectionsPerOwner: 1 } });
  await server.problem("sum");
});
afterAll(() => server.stop());

/** Holds the look-up of the next key: resolves `reached` when it is asked for, answers after `release`. */
function holdNextLookUp() {
  const { apiKeys } = server.store;
  const get = apiKeys.get.bind(apiKeys);
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  apiKeys.get = async (hash) => {
    apiKeys.get = get;
    reached.resolve();
    await gate.promise;
    return await get(hash);
  };
  return { reached: reached.promise, release: () => gate.resolve() };
}

/** The server has seen that the client before has gone: its loop has come round to a later request. */
async function roundTrips(): Promise<void> {
  for (let i = 0; i < 3; i++) await (await fetch(`${server.url}/livez`)).text();
}

async function leaveEventStream(key: string): Promise<void> {
  const call = request(`${server.url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream", ...bearer(key) },
  });
  call.on("error", () => undefined);
  call.end(JSON.stringify({ query: "{ __typename }" }));
  const { reached, release } = holdNextLookUp();
  await reached;
  call.destroy();
  await roundTrips();
  release();
}

async function leaveWebSocket(key: string): Promise<void> {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
  await once(socket, "open");
  const { reached, release } = holdNextLookUp();
  const payload = { Authorization: `Bearer ${key}` };
  socket.send(JSON.stringify({ type: "connection_init", payload }));
  await reached;
  socket.terminate();
  await roundTrips();
  release();
}

describe("a connection whose client leaves while its key is looked up", () => {
  it.each([
    ["event stream", leaveEventStream],
    ["WebSocket", leaveWebSocket],
  ])("takes no place for ever: %s", async (_name, leave) => {
    const owner = `owner-${_name.length}`;
    const id = await submitted(server.url, await server.key(owner), "sum");
    // A key of its own, not known to the server yet.
    const key = await server.key(owner);
    await leave(key);
    await roundTrips();
    for (const watch of [watchByStream, watchBySocket]) {
      const updates = watch(server.url, key, id);
      expect((await updates.next()).value).toMatchObject({ id });
      await updates.return(undefined);
      await roundTrips();
    }
  });
});
