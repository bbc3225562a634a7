import { once } from "node:events";
import { afterAll, beforeAll, expect, it } from "vitest";
import { WebSocket } from "ws";
import { namespace } from "../../support/namespace.ts";
import { bearer } from "./client.ts";
import { startTestServer, type TestServer } from "./testserver.ts";

/** Found by npm run fuzz: mistakes of the client that were answered as faults of the server, or with its insides. */

let server: TestServer;
let key: string;
let jury: string;

const space = namespace();
beforeAll(async () => {
  server = await startTestServer(space);
  key = await server.key("alice");
  jury = await server.key("judge", "jury");
});
afterAll(() => server.stop());

it("refuses variables of a GET that are not JSON", async () => {
  const query = new URLSearchParams({ query: "{ __typename }", variables: '{"a":' });
  const response = await fetch(`${server.url}/graphql?${query}`, {
    headers: { ...bearer(key), accept: "application/json" },
  });
  expect(await response.text()).toContain('"code":"INPUT_INVALID"');
  expect(response.status).toBe(400);
});

it("does not show what its parser threw at a body that is not JSON", async () => {
  const response = await fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: { ...bearer(key), accept: "text/event-stream", "content-type": "application/json" },
    body: '{"query":',
  });
  const text = await response.text();
  expect(text).toContain("INPUT_INVALID");
  expect(text).not.toContain("SyntaxError");
});

it("refuses a multipart request whose map names no list", async () => {
  const form = new FormData();
  form.append("operations", JSON.stringify({ query: "{ __typename }" }));
  form.append("map", '{"0": 5}');
  form.append("0", new Blob(["x"]), "x.zip");
  const response = await fetch(`${server.url}/graphql`, {
    method: "POST",
    headers: bearer(jury),
    body: form,
  });
  expect(await response.text()).toContain("INPUT_INVALID");
});

it("says of a REST body that it is not JSON, or what is missing in it", async () => {
  const post = (body: string): Promise<Response> =>
    fetch(`${server.url}/submissions`, {
      method: "POST",
      headers: { ...bearer(key), "content-type": "application/json" },
      body,
    });
  expect(await (await post("{")).json()).toMatchObject({ detail: "The body is not JSON in UTF-8." });
  expect(await (await post("{}")).text()).not.toContain("undefined");
});

it("closes a WebSocket on a message that only servers send as the client's mistake", async () => {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
  await once(socket, "open");
  socket.send(JSON.stringify({ type: "connection_init", payload: { Authorization: `Bearer ${key}` } }));
  await once(socket, "message");
  const closed = once(socket, "close");
  socket.send('{"type":"next","id":"1","payload":{"data":{}}}');
  const [code, reason] = (await closed) as [number, Buffer];
  expect([code, reason.toString()]).toEqual([4400, "Invalid message received"]);
});
