import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, createClient } from "../../src/cli/client.ts";
import { importProblem } from "../../src/cli/importproblem.ts";
import { SUBMIT, type SubmissionView } from "../../src/cli/operations.ts";
import { type Stack, startStack } from "../../src/supervisor/stack.ts";
import { until } from "../support/processes.ts";

/** The whole stack on real parts, each of which is killed in turn while submissions come in. */

let stack: Stack;
let participant: Client;

beforeAll(async () => {
  stack = await startStack({
    pools: [{ name: "python", languages: ["python"], executors: 2, slots: 2 }],
    env: process.env,
  });
  const jury = createClient({ url: stack.url, token: stack.keys.jury });
  participant = createClient({ url: stack.url, token: stack.keys.participant });
  const hello = join(import.meta.dirname, "../../examples/problems/hello");
  expect((await importProblem(jury, { path: hello })).type).toBe("imported");
  await jury.close();
}, 120_000);

afterAll(async () => {
  await participant.close();
  await stack.stop();
});

/** Sleeps in real time, so that there is a middle of the run to be killed in; CPU time stays small. */
const slowHello = (seconds: number): string => `import time\ntime.sleep(${seconds})\nprint("Hello World!")\n`;

async function submit(source: string, key?: string): Promise<string> {
  const input = { problem: "hello", language: "python", source, idempotencyKey: key ?? null };
  const { submitSubmission: answer } = await participant.request(SUBMIT, { input });
  if (!("submission" in answer)) throw new Error(`${answer.code}: ${answer.message}`);
  return answer.submission.id;
}

async function lastOf(id: string): Promise<SubmissionView | undefined> {
  let last: SubmissionView | undefined;
  for await (const view of participant.watch(id)) last = view;
  return last;
}

test("no accepted submission is lost while every part is killed in turn", async () => {
  const accepted = new Set<string>();
  const state = { stopped: false };
  const submitting = (async () => {
    for (let n = 0; !state.stopped || accepted.size < 10; n++) {
      // The same key again after a lost answer: an answer that never came may still have been stored.
      for (let tries = 0; tries < 40; tries++) {
        try {
          accepted.add(await submit(slowHello(0.1), `chaos-${n}`));
          break;
        } catch {
          await sleep(250);
        }
      }
    }
  })();
  for (const name of ["nats-server", "mongod", "server", ...stack.executors]) {
    await sleep(400);
    stack.kill(name);
    await until(
      `${name} has died`,
      () => stack.processes().find((one) => one.name === name)?.pid === undefined,
    );
    await stack.ready(name);
  }
  state.stopped = true;
  await submitting;
  expect(accepted.size).toBeGreaterThanOrEqual(10);
  const ended = await Promise.all([...accepted].map(lastOf));
  expect(ended.map((view) => view?.verdict)).toEqual(ended.map(() => "AC"));
}, 150_000);
