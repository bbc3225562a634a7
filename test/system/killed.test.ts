import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Client, createClient } from "../../src/cli/client.ts";
import { importProblem } from "../../src/cli/importproblem.ts";
import { isFinal, SUBMIT, type SubmissionView } from "../../src/cli/operations.ts";
import { connectNats, decodeJson } from "../../src/shared/nats.ts";
import { JudgeEvent } from "../../src/shared/protocol.ts";
import { subjects } from "../../src/shared/topology.ts";
import { type Stack, startStack } from "../../src/supervisor/stack.ts";
import { childrenOf, descendantsOf, until } from "../support/processes.ts";

/**
 * What must hold when a real part is killed while a real program is being judged: the verdict comes all the same, once,
 * and it is the right one.
 */

/** Half a second asleep in each test: 9 tests give time to kill something in the middle. */
const SLOW = "import time\ntime.sleep(0.5)\na, b = map(int, input().split())\nprint(a + b)\n";

let stack: Stack;
let client: Client;
let nats: NatsConnection;
let events: JudgeEvent[] = [];

beforeAll(async () => {
  stack = await startStack({
    pools: [{ name: "scripts", languages: ["python"], executors: 2, slots: 1 }],
    env: process.env,
  });
  const jury = createClient({ url: stack.url, token: stack.keys.jury });
  const sum = join(import.meta.dirname, "../../examples/problems/sum");
  expect(await importProblem(jury, { path: sum })).toMatchObject({ type: "imported" });
  await jury.close();
  client = createClient({ url: stack.url, token: stack.keys.participant });
  nats = await connectNats(stack.nats, "test");
  nats.subscribe(subjects.allEvents({ prefix: stack.topologyPrefix, replicas: 1 }), {
    callback: (_error, message) => {
      const event = decodeJson(JudgeEvent, message.data);
      if (event !== undefined) events.push(event);
    },
  });
}, 120_000);
beforeEach(() => {
  events = [];
});
afterAll(async () => {
  await Promise.all([client.close(), nats.close()]);
  await stack.stop();
}, 60_000);

async function launcherOf(executor: string): Promise<number> {
  const pid = stack.processes().find((one) => one.name === executor)?.pid ?? 0;
  const [launcher] = await childrenOf(pid);
  if (launcher === undefined) throw new Error(`${executor} has no launcher`);
  return launcher;
}

/** Submits the slow program and follows it; `running` resolves when its second test is done. */
async function judgeSlowly() {
  const { submitSubmission: answer } = await client.request(SUBMIT, {
    input: { problem: "sum", language: "python", source: SLOW },
  });
  if (!("submission" in answer)) throw new Error(answer.message);
  const { id } = answer.submission;
  const views: SubmissionView[] = [];
  const watching = (async () => {
    for await (const view of client.watch(id)) views.push(view);
  })();
  await until("two tests are done", () => views.some((view) => view.testsDone >= 2), 20_000);
  return {
    id,
    holder: events.findLast((event) => event.submission === id)?.executor ?? "",
    /** Every state that the subscriber saw, after the final one. */
    all: async () => {
      await watching;
      return views;
    },
  };
}

/** Exactly one final state, and it is AC in every test. */
function expectAccepted(views: readonly SubmissionView[]): void {
  expect(views.filter(isFinal)).toHaveLength(1);
  expect(views.at(-1)).toMatchObject({ state: "FINISHED", verdict: "AC", testsDone: 9, testsTotal: 9 });
  const revisions = views.map((view) => view.revision);
  expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => a - b));
}
const endsOf = (id: string) => events.filter((event) => event.submission === id && event.type === "finished");

test("an executor killed in mid-run: another one judges it, once, within 15 s and the judging itself", async () => {
  const { id, holder, all } = await judgeSlowly();
  const killedAtMs = Date.now();
  expect(stack.kill(holder, "SIGKILL")).toBe(true);
  expectAccepted(await all());
  expect(Date.now() - killedAtMs).toBeLessThan(15_000 + 6_000);
  expect(endsOf(id)).toMatchObject([{ delivery: 2 }]);
  // The other one began within the 15 s; the killed one is back by itself.
  const again = events.find((e) => e.submission === id && e.delivery === 2);
  expect((again?.atMs ?? Infinity) - killedAtMs).toBeLessThan(11_000);
  await stack.ready(holder);
}, 60_000);

test("a sandbox killed under its executor: the job goes back at once, without waiting for its lease", async () => {
  const { id, holder, all } = await judgeSlowly();
  const launcher = await launcherOf(holder);
  const killedAtMs = Date.now();
  process.kill(launcher, "SIGKILL");
  expectAccepted(await all());
  expect(endsOf(id)).toHaveLength(1);
  const again = events.find((e) => e.submission === id && e.delivery > 1);
  expect((again?.atMs ?? Infinity) - killedAtMs).toBeLessThan(5_000);
  await stack.ready(holder);
}, 60_000);

test("a program killed from outside: it is run again, and nobody is told that it crashed", async () => {
  const { id, holder, all } = await judgeSlowly();
  const program = await until("the program runs", async () => {
    const inside = await descendantsOf(await launcherOf(holder));
    const commands = await Promise.all(
      inside.map(async (pid) => ({ pid, command: await readFile(`/proc/${pid}/cmdline`, "utf8") })),
    ).catch(() => []);
    return commands.find(({ command }) => /^[^\0]*python/.test(command))?.pid;
  });
  process.kill(program, "SIGKILL");
  expectAccepted(await all());
  expect(endsOf(id)).toMatchObject([{ executor: holder, delivery: 1 }]);
}, 60_000);

test("the sandbox around a program killed from outside: a fault, and the job is judged again", async () => {
  const { id, holder, all } = await judgeSlowly();
  const bwrap = await until("a program runs", async () => {
    const inside = await childrenOf(await launcherOf(holder));
    const commands = await Promise.all(
      inside.map(async (pid) => ({ pid, command: await readFile(`/proc/${pid}/cmdline`, "utf8") })),
    ).catch(() => []);
    return commands.find(({ command }) => command.includes("bwrap"))?.pid;
  });
  process.kill(bwrap, "SIGKILL");
  expectAccepted(await all());
  expect(events.filter((event) => event.submission === id && event.type === "fault")).toMatchObject([
    { delivery: 1, fault: { code: "SANDBOX_FAILED" } },
  ]);
}, 60_000);

test("a program that kills itself: a crash, with the signal it sent", async () => {
  const source = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n";
  const input = { problem: "sum", language: "python", source };
  const { submitSubmission: answer } = await client.request(SUBMIT, { input });
  if (!("submission" in answer)) throw new Error(answer.message);
  const views: SubmissionView[] = [];
  for await (const view of client.watch(answer.submission.id)) views.push(view);
  expect(views.at(-1)).toMatchObject({ state: "FINISHED", verdict: "RTE" });
}, 60_000);

test("an executor told to stop finishes its job in the grace time", async () => {
  const { id, holder, all } = await judgeSlowly();
  stack.kill(holder, "SIGTERM");
  expectAccepted(await all());
  expect(endsOf(id)).toMatchObject([{ executor: holder, delivery: 1 }]);
  await stack.ready(holder);
}, 60_000);

test.each(["server", "nats-server", "mongod"])(
  "%s killed in mid-run: the program is not lost and judged right",
  async (part) => {
    const { all } = await judgeSlowly();
    expect(stack.kill(part, "SIGKILL")).toBe(true);
    expectAccepted(await all());
    await stack.ready(part);
  },
  90_000,
);
