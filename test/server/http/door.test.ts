import { request as httpRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { checkHost, checkOrigin, createDoor } from "../../../src/server/http/door.ts";
import { namespace } from "../../support/namespace.ts";
import { startTestServer, type TestServer } from "./testserver.ts";

describe("checkHost", () => {
  const door = createDoor("127.0.0.1", ["Judge.example"]);
  it.each([
    "localhost",
    "localhost:4000",
    "127.0.0.1:4000",
    "[::1]:4000",
    "judge.example",
    "JUDGE.example:80",
  ])("lets %s in", (host) => {
    expect(checkHost(door, { host })).toBeUndefined();
  });
  it.each(["evil.example", "localhost.evil.example", "127.0.0.1.nip.io:4000", ""])("refuses %j", (host) => {
    expect(checkHost(door, { host })?.code).toBe("HOST_NOT_ALLOWED");
  });
  it("lets everything in where that is asked for", () => {
    expect(checkHost(createDoor("0.0.0.0", ["*"]), { host: "any.example" })).toBeUndefined();
  });
  it("does not take the address for everything as a name", () => {
    expect(checkHost(createDoor("0.0.0.0", []), { host: "0.0.0.0:4000" })?.code).toBe("HOST_NOT_ALLOWED");
  });
});

describe("checkOrigin", () => {
  const door = createDoor("127.0.0.1", ["judge.example"]);
  const host = "127.0.0.1:4000";
  it.each([
    { host },
    { host, origin: "http://127.0.0.1:4000" },
    { host, origin: "https://judge.example" },
    { host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
    { host, "sec-fetch-site": "same-origin", "sec-fetch-mode": "cors" },
  ])("lets %j in", (headers) => {
    expect(checkOrigin(door, headers)).toBeUndefined();
  });
  it.each([
    { host, origin: "https://evil.example" },
    // Another program's page on this machine.
    { host, origin: "http://localhost:3000" },
    { host, origin: "http://127.0.0.1:3000" },
    { host, origin: "null" },
    { host, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" },
  ])("refuses %j", (headers) => {
    expect(checkOrigin(door, headers)?.code).toBe("ORIGIN_NOT_ALLOWED");
  });
});

describe("the door of a running server", () => {
  const space = namespace();
  let server: TestServer;
  let key: string;
  beforeAll(async () => {
    server = await startTestServer(space, { allowedHosts: ["judge.example"] });
    key = await server.key("alice");
  });
  afterAll(() => server.stop());

  /** fetch does not let a Host or Origin be set. */
  function send(path: string, headers: Record<string, string>, method = "GET") {
    const { promise, resolve, reject } = Promise.withResolvers<{
      status: number | undefined;
      headers: Record<string, unknown>;
      body: string;
    }>();
    const request = httpRequest(`${server.url}${path}`, { method, headers }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    request.on("error", reject);
    request.end();
    return promise;
  }

  it("refuses another host on every path but the health checks", async () => {
    for (const path of ["/graphql", "/submissions/x", "/openapi.json", "/metrics", "/blobs/x"]) {
      const answer = await send(path, { host: "evil.example" });
      expect(answer.status, path).toBe(421);
      expect(answer.body).toContain("DOCKET_ALLOWED_HOSTS");
    }
    expect((await send("/livez", { host: "10.1.2.3" })).status).toBe(200);
    expect((await send("/readyz", { host: "10.1.2.3" })).status).toBe(200);
    expect((await send("/openapi.json", { host: "judge.example" })).status).toBe(200);
  });

  it("refuses pages of other origins, also with a right key", async () => {
    const answer = await send(
      "/graphql?query=%7B__typename%7D",
      { origin: "https://evil.example", authorization: `Bearer ${key}` },
      "POST",
    );
    expect(answer.status).toBe(403);
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
  });

  it("lets pages on an allowed host read the answers, and no others", async () => {
    const origin = "https://judge.example";
    const asked = { origin, "access-control-request-method": "POST" };
    const preflight = await send("/graphql", asked, "OPTIONS");
    expect(preflight.status).toBe(204);
    expect(preflight.headers["access-control-allow-origin"]).toBe(origin);
    expect(preflight.headers["access-control-allow-methods"]).toBe("GET, POST");
    expect(preflight.headers["access-control-allow-headers"]).toContain("Authorization");
    const answer = await send("/submissions/x", { origin, authorization: `Bearer ${key}` });
    expect(answer.status).toBe(404);
    expect(answer.headers["access-control-allow-origin"]).toBe(origin);
    const other = await send("/graphql", { ...asked, origin: "https://judge.example.evil" }, "OPTIONS");
    expect(other.status).toBe(403);
    expect(other.headers["access-control-allow-origin"]).toBeUndefined();
  });

  it("refuses a WebSocket of another origin or host", async () => {
    for (const headers of [{ origin: "https://evil.example" }, { host: "evil.example" }]) {
      const socket = new WebSocket(`${server.url.replace("http", "ws")}/graphql`, "graphql-transport-ws", {
        headers,
      });
      const error = await new Promise<Error>((resolve) => void socket.once("error", resolve));
      expect(error.message).toContain("403");
    }
  });

  it("sends the security headers with answers of every kind", async () => {
    for (const path of ["/graphql", "/livez", "/nothing", "/submissions/x"]) {
      const { headers } = await send(path, { accept: "text/html" });
      expect(headers["content-security-policy"], path).toContain("default-src 'none'");
      expect(headers["x-content-type-options"], path).toBe("nosniff");
      expect(headers["referrer-policy"], path).toBe("no-referrer");
    }
  });

  it("does not change anything by GET", async () => {
    const query = encodeURIComponent('mutation{cancelSubmission(input:{id:"x"}){__typename}}');
    const answer = await send(`/graphql?query=${query}`, { authorization: `Bearer ${key}` });
    expect(answer.status).toBe(405);
  });

  it("answers unknown paths and methods in the same form", async () => {
    const nothing = await send("/nothing", {});
    expect(nothing.status).toBe(404);
    expect(nothing.headers["content-type"]).toContain("application/problem+json");
    const wrong = await send("/submissions", {}, "DELETE");
    expect(wrong.status).toBe(405);
    expect(wrong.headers["allow"]).toBe("POST");
  });
});
