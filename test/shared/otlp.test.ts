import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import type { Service } from "../../src/shared/lifecycle.ts";
import { createLog } from "../../src/shared/log.ts";
import { createTracer, LAST_SEND_MS } from "../../src/shared/otlp.ts";

/** The rest of it is in test/server/trace.test.ts. */

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A tracer with that many spans under way to a collector that takes so long for each batch. */
async function sendTo({ answersAfterMs }: { answersAfterMs: number }, spans: number) {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    request.resume();
    const timer = setTimeout(() => response.end("{}"), answersAfterMs);
    closing.push(() => clearTimeout(timer));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { tracer, services } = createTracer({
    settings: { endpoint, headers: {}, ratio: 1 },
    service: "s",
    instance: "i",
    log: createLog("test", "silent"),
  });
  for (let i = 0; i < spans; i++) {
    const context = tracer.root({ submission: `s${i}`, generation: 1 });
    tracer.ended({ name: "test", context, kind: "internal", startMs: 1, endMs: 2 });
  }
  const [sender] = services as [Service];
  await sender.start();
  await expect.poll(() => asked).toBe(1);
  return { sender, asked: () => asked };
}

it.each([
  ["that never answers", 60_000],
  ["that is too slow for all that is left", 400],
])("a stop does not wait for a collector %s", async (_, answersAfterMs) => {
  const { sender } = await sendTo({ answersAfterMs }, 8_000);
  const stoppedAtMs = performance.now();
  await sender.stop();
  expect(performance.now() - stoppedAtMs).toBeLessThan(LAST_SEND_MS + 500);
});

it("a stop lets what is being sent end, and sends the rest once", async () => {
  const { sender, asked } = await sendTo({ answersAfterMs: 200 }, 1_000);
  await sender.stop();
  expect(asked()).toBe(2);
});
