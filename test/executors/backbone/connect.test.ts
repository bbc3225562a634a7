import { spawn } from "node:child_process";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { BrokerRefused, connectToBroker } from "../../../src/executors/backbone/connect.ts";
import { createHealth, type Health } from "../../../src/executors/backbone/health.ts";
import { EXIT } from "../../../src/shared/lifecycle.ts";
import { createLog } from "../../../src/shared/log.ts";
import { namespace } from "../../support/namespace.ts";
import { until } from "../../support/processes.ts";
import { startProxy } from "../../support/proxy.ts";
import { freePort } from "../../server/http/testserver.ts";
import { executorEnv, startExecutorProcess, temporaryFolder } from "./stage.ts";

/** The first connection to the broker, before an executor is anything. */

const { natsUrl, topology } = namespace();
const folder = temporaryFolder();
const after: (() => unknown)[] = [];
afterEach(async () => {
  for (let step = after.pop(); step !== undefined; step = after.pop()) await step();
});

const NATS_PORT = Number(new URL(natsUrl).port);

/** A proxy in front of the real broker that takes nobody yet. */
async function closedProxy() {
  const proxy = await startProxy({ port: NATS_PORT });
  proxy.accept(false);
  after.push(() => proxy.close());
  return { ...proxy, url: `nats://127.0.0.1:${proxy.port}` };
}

/** Speaks just enough of NATS to answer each who connects with an error, the first ones with these. */
async function refusingBroker(...errors: readonly string[]): Promise<{ url: string; asked: () => number }> {
  let asked = 0;
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.write(
      `INFO ${JSON.stringify({ server_id: "x", version: "2.11.0", proto: 1, max_payload: 1, auth_required: true })}\r\n`,
    );
    socket.once("data", () => {
      const error = errors[Math.min(asked, errors.length - 1)] ?? "";
      asked += 1;
      socket.end(`-ERR '${error}'\r\n`);
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  after.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return { url: `nats://127.0.0.1:${address.port}`, asked: () => asked };
}

function connecting(url: string) {
  const health: Health = createHealth(createLog("executor", "silent"));
  const stop = new AbortController();
  after.push(() => stop.abort());
  const connection = connectToBroker(
    { health, log: createLog("executor", "silent"), signal: stop.signal },
    { access: { url, user: "e1", password: "wrong" }, name: "test" },
  );
  // Its end is looked at by each test, maybe late.
  connection.catch(() => undefined);
  const waitsFor = (what: RegExp) =>
    until("it says what it waits for", () => what.test(health.get("nats") ?? ""));
  return { connection, health, waitsFor, stop };
}

describe("a broker that is out of reach", () => {
  test("is tried again until it is there, and what is waited for is said", async () => {
    const proxy = await closedProxy();
    const { connection, health, waitsFor } = connecting(proxy.url);
    await waitsFor(/^waits for NATS at nats:\/\/127\.0\.0\.1:\d+: ./);
    proxy.accept(true);
    const nats = await connection;
    expect(health.reason()).toBeUndefined();
    await nats.flush();
    await nats.close();
  });

  test.each([
    ["no name server knows", "nats://broker.invalid:4222", /ENOTFOUND|EAI_AGAIN/],
    ["nobody listens at", "nats://127.0.0.1:9", /refused/],
  ])("is waited for when it is one that %s, until the executor is stopped", async (_what, url, why) => {
    const { connection, waitsFor, stop } = connecting(url);
    await waitsFor(why);
    stop.abort(new Error("stopped"));
    await expect(connection).rejects.toThrow("stopped");
  });

  test("is asked again when it had no time to look at the password, and given up when it refuses it", async () => {
    const broker = await refusingBroker("Authentication Timeout", "Authorization Violation");
    const refused = connecting(broker.url).connection;
    await expect(refused).rejects.toThrow(BrokerRefused);
    await expect(refused).rejects.toThrow(/cannot be used as e1: .*Authorization Violation.*NATS_USER/i);
    expect(broker.asked()).toBe(2);
  });
});

describe("an executor process", () => {
  const env = async (id: string, url: string) => {
    const port = await freePort();
    const workDir = join(folder(), id);
    const health = `http://127.0.0.1:${port}/readyz`;
    const said = () =>
      until(
        "it answers for its health",
        async () => {
          const answer = await fetch(health).catch(() => undefined);
          const text = await answer?.text();
          return text?.includes("waits for NATS") === true ? { status: answer?.status, text } : undefined;
        },
        25_000,
      );
    return { said, env: executorEnv(url, topology, { id, workDir, DOCKET_HEALTH_PORT: String(port) }) };
  };

  test("is alive and not ready while it waits for the broker, and works when it is there", async () => {
    const proxy = await closedProxy();
    const { said, env: variables } = await env("waits-a", proxy.url);
    const started = startExecutorProcess(variables);
    expect(await said()).toMatchObject({ status: 503, text: expect.stringContaining("starting") as string });
    proxy.accept(true);
    const executor = await started;
    const ready = await until("it is ready", async () => {
      return (await fetch(`${executor.url}/readyz`)).ok;
    });
    expect(ready).toBe(true);
    executor.kill("SIGTERM");
    expect(await executor.exited).toEqual({ code: EXIT.ok, signal: null });
  });

  test("ends at once when it is stopped before the broker is there", async () => {
    const { said, env: variables } = await env("waits-b", "nats://127.0.0.1:9");
    const child = spawn(process.execPath, [join(import.meta.dirname, "testexecutor.ts")], {
      env: { PATH: process.env["PATH"], ...variables },
      stdio: "ignore",
    });
    after.push(() => child.kill("SIGKILL"));
    const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
    await said();
    child.kill("SIGTERM");
    expect(await exited).toBe(EXIT.ok);
  });

  test("that the broker refuses ends with the exit code of a wrong configuration", async () => {
    const broker = await refusingBroker("Authorization Violation");
    const { env: variables } = await env("refused", broker.url);
    await expect(startExecutorProcess(variables)).rejects.toThrow(
      new RegExp(`code ${EXIT.config} [^]*NATS at .* cannot be used`),
    );
  });
});
