import { expect, test } from "vitest";
import type { ProcessEvent } from "../../src/supervisor/keepalive.ts";
import { startStack } from "../../src/supervisor/stack.ts";

test("a stack stops in the reverse of its start: executors first, then servers, then broker and database", async () => {
  const events: ProcessEvent[] = [];
  const stack = await startStack({
    servers: 2,
    pools: [{ name: "two", languages: ["python"], executors: 2, slots: 1 }],
    env: process.env,
    onEvent: (event) => void events.push(event),
  });
  const executors = stack.executors();
  await stack.stop();
  const order = (type: ProcessEvent["type"]): string[] =>
    events.filter((event) => event.type === type).map((event) => event.process);
  const kinds = (names: readonly string[]): string[] =>
    names.map((name) => (executors.includes(name) ? "executor" : name));
  // Broker and database start side by side, and so do the executors.
  expect(kinds(order("stopped")).slice(0, 4)).toEqual(["executor", "executor", "server-2", "server"]);
  expect(order("stopped").slice(4).toSorted()).toEqual(["mongod", "nats-server"]);
  expect(kinds(order("ready")).slice(2)).toEqual(["server", "server-2", "executor", "executor"]);
  expect(events.filter(({ type }) => type === "died")).toEqual([]);
}, 120_000);
