import { readFile } from "node:fs/promises";
import { jetstream } from "@nats-io/jetstream";
import { WebSocket } from "ws";
import { z } from "zod";
import { ExecutorId } from "../src/shared/ids.ts";
import { connectNats, decodeJson, encodeJson } from "../src/shared/nats.ts";
import { Job } from "../src/shared/protocol.ts";
import { consumerOf, eventMessageId, streamOf, subjects } from "../src/shared/topology.ts";
import { type Stack, startStack } from "../src/supervisor/stack.ts";
import { machine, quantile, rounded, table } from "./figures.ts";
import { importSum, SUM } from "./sum.ts";
import { ONE_OWNER_QUEUED } from "./unlimited.ts";

const SUBMISSIONS = 100;
/** Handshakes under way at once. */
const OPENING = 200;
const STEPS = 5;
const PATIENCE_MS = 120_000;
const EXECUTOR = ExecutorId.parse("bench");
const TOPOLOGY = { prefix: "", replicas: 1 };

const Submitted = z.object({
  data: z.object({ submitSubmission: z.object({ submission: z.object({ id: z.string() }) }) }),
});
const Frame = z.object({
  type: z.string(),
  payload: z
    .object({
      data: z.object({ verdictUpdated: z.object({ revision: z.int(), state: z.string() }) }).nullish(),
      errors: z.unknown().optional(),
    })
    .optional(),
});

/** One subscriber on a WebSocket of its own, by hand: 10,000 whole clients would measure themselves. */
interface Subscriber {
  readonly socket: WebSocket;
  readonly submission: string;
  revisions: number[];
  finals: number;
  /** performance.now() of the final state and of the end of the subscription. */
  finalAtMs: number;
  completed: boolean;
}

async function memoryKiB(pid: number): Promise<number> {
  return Number(/VmRSS:\s+(\d+) kB/.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1]);
}

function subscribe(url: string, key: string, submission: string): Promise<Subscriber> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
  const subscriber: Subscriber = {
    socket,
    submission,
    revisions: [],
    finals: 0,
    finalAtMs: Number.NaN,
    completed: false,
  };
  return new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", (code) => reject(new Error(`closed with ${code}`)));
    socket.on("open", () => {
      socket.send(JSON.stringify({ type: "connection_init", payload: { Authorization: `Bearer ${key}` } }));
    });
    socket.on("message", (bytes: Buffer) => {
      const frame = Frame.parse(JSON.parse(bytes.toString()));
      if (frame.type === "connection_ack") {
        const query =
          "subscription ($id: ID!) { verdictUpdated(submissionId: $id) { revision state verdict testsDone testsTotal } }";
        const payload = { query, variables: { id: submission } };
        socket.send(JSON.stringify({ id: "1", type: "subscribe", payload }));
      } else if (frame.type === "next") {
        const update = frame.payload?.data?.verdictUpdated;
        if (update === undefined) reject(new Error(bytes.toString()));
        else {
          subscriber.revisions.push(update.revision);
          if (update.state === "FINISHED") {
            subscriber.finals += 1;
            subscriber.finalAtMs = performance.now();
          }
          resolve(subscriber);
        }
      } else if (frame.type === "complete") subscriber.completed = true;
    });
  });
}

async function inParts<In, Out>(items: readonly In[], act: (item: In) => Promise<Out>): Promise<Out[]> {
  const done: Out[] = [];
  for (let i = 0; i < items.length; i += OPENING) {
    done.push(...(await Promise.all(items.slice(i, i + OPENING).map(act))));
  }
  return done;
}

async function submitAll(stack: Stack): Promise<string[]> {
  const query = `mutation ($input: SubmitSubmissionInput!) { submitSubmission(input: $input) {
    ... on SubmitSubmissionSuccess { submission { id } } ... on UserError { code message } } }`;
  return await inParts([...Array(SUBMISSIONS).keys()], async (i) => {
    const input = { problem: SUM, language: "python", source: `print(${i})` };
    const response = await fetch(`${stack.url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${stack.keys.participant}` },
      body: JSON.stringify({ query, variables: { input } }),
    });
    return Submitted.parse(await response.json()).data.submitSubmission.submission.id;
  });
}

/** Plays the executor: started, some progress, finished, for every job in the queue. When each was finished. */
async function judgeAll(stack: Stack): Promise<Map<string, number>> {
  const { url, user, password } = stack.nats;
  const connection = await connectNats({ url, user, password }, "bench");
  try {
    const js = jetstream(connection);
    const consumer = await js.consumers.get(streamOf(TOPOLOGY, "python"), consumerOf("practice"));
    const finishedAtMs = new Map<string, number>();
    while (finishedAtMs.size < SUBMISSIONS) {
      const message = await consumer.next({ expires: 5_000 });
      const job = message === null ? undefined : decodeJson(Job, message.data);
      if (message === null || job === undefined) throw new Error("there is no job in the queue");
      const { submission, generation, dispatch, kind, capability } = job;
      const fence = { generation, dispatch, delivery: message.info.deliveryCount };
      const send = async (seq: number, more: object): Promise<void> => {
        const event = {
          v: 1,
          kind,
          submission,
          ...fence,
          executor: EXECUTOR,
          seq,
          atMs: Date.now(),
          capability,
        };
        await js.publish(subjects.event(TOPOLOGY, EXECUTOR, submission), encodeJson({ ...event, ...more }), {
          msgID: eventMessageId(submission, fence, seq),
        });
      };
      await send(1, { type: "started" });
      for (let step = 1; step < STEPS; step++) {
        await send(1 + step, { type: "progress", result: { testsTotal: STEPS, tests: [] } });
      }
      finishedAtMs.set(submission, performance.now());
      const result = { testsTotal: STEPS, tests: [], verdict: "AC", cpuMs: 1, memoryKiB: 1 };
      await send(1 + STEPS, { type: "finished", result });
      await message.ackAck();
    }
    return finishedAtMs;
  } finally {
    await connection.close();
  }
}

const grows = (revisions: readonly number[]): boolean =>
  revisions.every((revision, i) => i === 0 || revision > (revisions[i - 1] ?? 0));

/**
 * Many subscribers at once on one server, each on a WebSocket of its own, a hundred of them at each submission; every
 * submission is then judged. What each subscriber costs, and how long after the final event it has the final state.
 */
export async function subscriptions(count = 10_000): Promise<Record<string, number>> {
  console.log(machine());
  const stack = await startStack({
    pools: [],
    env: process.env,
    extraEnv: {
      server: {
        ...ONE_OWNER_QUEUED,
        DOCKET_LIMIT_CONNECTIONS_PER_OWNER: String(count + 1),
        DOCKET_LOG_LEVEL: "error",
      },
    },
    onLine: (name, line) => {
      if (name === "server") console.error(`${name}: ${line}`);
    },
  });
  try {
    await importSum(stack);
    const ids = await submitAll(stack);
    const pid = stack.processes().find(({ name }) => name.startsWith("server"))?.pid ?? 0;
    const before = await memoryKiB(pid);
    const opened = performance.now();
    const wanted = Array.from({ length: count }, (_, i) => ids[i % ids.length] ?? "");
    const subscribers = await inParts(wanted, (id) => subscribe(stack.url, stack.keys.participant, id));
    const openSeconds = (performance.now() - opened) / 1_000;
    const held = (await memoryKiB(pid)) - before;
    const begun = performance.now();
    const finishedAtMs = await judgeAll(stack);
    while (subscribers.some(({ completed }) => !completed) && performance.now() - begun < PATIENCE_MS) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const late = subscribers.map(
      ({ finalAtMs, submission }) => finalAtMs - (finishedAtMs.get(submission) ?? Number.NaN),
    );
    const missing = subscribers.filter(({ finals, completed }) => finals !== 1 || !completed).length;
    const gaps = missing + subscribers.filter(({ revisions }) => !grows(revisions)).length;
    const updates = subscribers.reduce((sum, { revisions }) => sum + revisions.length, 0);
    for (const { socket } of subscribers) socket.terminate();
    const seen = late.filter((ms) => !Number.isNaN(ms));
    const figures = {
      subscribers: subscribers.length,
      openSeconds: rounded(openSeconds),
      memoryPerSubscriberKiB: rounded(held / count),
      updates,
      deliverP50Ms: rounded(quantile(seen, 0.5)),
      deliverP99Ms: rounded(quantile(seen, 0.99)),
      deliverMaxMs: rounded(quantile(seen, 1)),
      allSeconds: rounded((Math.max(...subscribers.map(({ finalAtMs }) => finalAtMs)) - begun) / 1_000),
      gaps,
    };
    console.log(table([["subscriptions", "value"], ...Object.entries(figures)]));
    return figures;
  } finally {
    await stack.stop();
  }
}
