import { Registry } from "prom-client";
import { afterEach, expect, it } from "vitest";
import { createHealthServer, type HealthServer } from "../../../src/executors/backbone/healthserver.ts";

const started: HealthServer[] = [];
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
});

async function start(host: string, port = 0): Promise<HealthServer> {
  const server = createHealthServer({
    host,
    port,
    registry: new Registry(),
    state: () => "draining",
    reason: () => "a test",
  });
  await server.start();
  started.push(server);
  return server;
}

it("is found at its own address alone", async () => {
  const url = new URL((await start("127.0.0.2")).url());
  expect(url.hostname).toBe("127.0.0.2");
  expect((await fetch(`${url.origin}/livez`)).status).toBe(200);
  await expect(fetch(`http://127.0.0.1:${url.port}/livez`)).rejects.toThrow("fetch failed");
});

it("is found from everywhere when it listens on all, and says why it is not ready", async () => {
  const server = await start("0.0.0.0");
  const { port } = new URL(server.url());
  for (const origin of [server.url(), `http://127.0.0.2:${port}`]) {
    const answer = await fetch(`${origin}/readyz`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ state: "draining", reason: "a test" });
  }
});

it("names its variables when the address is taken", async () => {
  const taken = Number(new URL((await start("127.0.0.1")).url()).port);
  await expect(start("127.0.0.1", taken)).rejects.toThrow("DOCKET_HEALTH_HOST and DOCKET_HEALTH_PORT");
});
