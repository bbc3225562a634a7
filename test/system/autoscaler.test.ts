import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, createClient } from "../../src/cli/client.ts";
import { importProblem } from "../../src/cli/importproblem.ts";
import { POOLS, SUBMIT, type SubmissionView } from "../../src/cli/operations.ts";
import { connectNats, decodeJson } from "../../src/shared/nats.ts";
import { JudgeEvent } from "../../src/shared/protocol.ts";
import { subjects } from "../../src/shared/topology.ts";
import { type Stack, startStack } from "../../src/supervisor/stack.ts";
import { until } from "../support/processes.ts";

/** A storm makes a pool grow to its most, quiet makes it shrink to its least, and all is judged once meanwhile. */

const MOST = 3;
const STORM = 24;
const PROGRAM = "a, b = map(int, input().split())\nprint(a + b)\n";
/** Asleep for nearly a second in 9 tests: whatever the machine, the storm is 20 seconds of work. */
const SLOW = `import time\ntime.sleep(0.1)\n${PROGRAM}`;
/**
 * When the storm is over somebody hands in one after the other, with a pause of so many times what it took: a twelfth of
 * one executor is busy, on a slow machine as well.
 */
const PAUSE_TIMES = 11;

let stack: Stack;
let client: Client;
let jury: Client;
let nats: NatsConnection;
const finished: string[] = [];

beforeAll(async () => {
  const scale = { least: 1, most: MOST, targetWaitSeconds: 5, coolDownSeconds: 6 };
  stack = await startStack({
    pools: [{ name: "scripts", languages: ["python"], slots: 1, scale }],
    env: process.env,
  });
  jury = createClient({ url: stack.url, token: stack.keys.jury });
  const sum = join(import.meta.dirname, "../../examples/problems/sum");
  expect(await importProblem(jury, { path: sum })).toMatchObject({ type: "imported" });
  client = createClient({ url: stack.url, token: stack.keys.participant });
  nats = await connectNats(stack.nats, "test");
  nats.subscribe(subjects.allEvents({ prefix: stack.topologyPrefix, replicas: 1 }), {
    callback: (_error, message) => {
      const event = decodeJson(JudgeEvent, message.data);
      if (event?.type === "finished") finished.push(event.submission);
    },
  });
}, 120_000);
afterAll(async () => {
  await Promise.all([client.close(), jury.close(), nats.close()]);
  await stack.stop();
}, 60_000);

/** Hands it in and follows it to its end. */
async function judged(nth: number, program: string): Promise<SubmissionView | undefined> {
  const { submitSubmission: answer } = await client.request(SUBMIT, {
    input: { problem: "sum", language: "python", source: `# ${nth}\n${program}` },
  });
  if (!("submission" in answer)) throw new Error(answer.message);
  let last: SubmissionView | undefined;
  for await (const view of client.watch(answer.submission.id)) last = view;
  return last;
}

const running = (): number => stack.processes().filter(({ name }) => name.startsWith("scripts-")).length;

test("a pool grows under a storm and shrinks after it, while each submission gets one verdict", async () => {
  expect(stack.autoscale()).toEqual(["scripts"]);
  expect(stack.executors()).toHaveLength(1);
  const storm = Promise.all(Array.from({ length: STORM }, (_, nth) => judged(nth, SLOW)));
  await until("all executors of the pool are up", () => running() === MOST, 90_000);
  const pools = async () => (await jury.request(POOLS)).pools;
  expect(await pools()).toMatchObject([{ name: "scripts", mostExecutors: MOST, desiredExecutors: MOST }]);
  const views = await storm;

  // Handed in while executors are drained.
  const quiet = new AbortController();
  const trickle = (async () => {
    for (let nth = STORM; !quiet.signal.aborted; nth++) {
      const begun = performance.now();
      views.push(await judged(nth, PROGRAM));
      const pauseMs = PAUSE_TIMES * (performance.now() - begun);
      await sleep(pauseMs, undefined, { signal: quiet.signal }).catch(() => {});
    }
  })();
  await until("all but one have been drained", () => running() === 1, 200_000);
  quiet.abort();
  await trickle;
  expect(await pools()).toMatchObject([{ name: "scripts", desiredExecutors: 1 }]);
  expect(stack.executors()).toHaveLength(1);

  expect(views.map((view) => view?.verdict)).toEqual(views.map(() => "AC"));
  const ids = views.map((view) => view?.id ?? "");
  expect(new Set(ids).size).toBe(ids.length);
  expect(finished.toSorted()).toEqual(ids.toSorted());
}, 360_000);
