import { type ChildProcessByStdio, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import type { Readable } from "node:stream";
import { z } from "zod";
import { machine, median, rounded, table } from "./figures.ts";
import { fetchBullMq, type Redis, startRedis } from "./queue/bullmq.ts";
import type { BullMqLoad } from "./queue/bullmqload.ts";
import type { RawQueue } from "./queue/raw.ts";
import { startWorkStack, type WorkStack } from "./works.ts";

const JOBS = 6_000;
const SLOTS = 32;
/** They take turns, so that all see the same machine. */
const ROUNDS = 3;

/** One side of a comparison, in a process of its own. */
function start(script: "raw" | "bullmqload", load: RawQueue | BullMqLoad) {
  const child: ChildProcessByStdio<null, Readable, null> = spawn(
    process.execPath,
    [join(import.meta.dirname, "queue", `${script}.ts`), JSON.stringify(load)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const ended = new Promise<void>((resolve, reject) => {
    child.once("exit", (code) =>
      code === 0 ? resolve() : reject(new Error(`${script} ended with ${code}`)),
    );
  });
  return { lines: createInterface(child.stdout), ended };
}

const nextLine = (lines: Interface): Promise<string> =>
  new Promise((resolve, reject) => {
    lines.once("line", resolve);
    lines.once("close", () => reject(new Error("it ended without a word")));
  });

async function rawSeconds({ stack }: WorkStack): Promise<number> {
  const load = {
    mongodbUrl: stack.mongodbUrl,
    database: `${stack.database}-rawqueue`,
    nats: stack.nats,
    prefix: "rawqueue_",
    jobs: JOBS,
    slots: SLOTS,
  };
  const server = start("raw", { ...load, role: "server" });
  await nextLine(server.lines);
  const executor = start("raw", { ...load, role: "executor" });
  const { seconds } = z.object({ seconds: z.number() }).parse(JSON.parse(await nextLine(server.lines)));
  await Promise.all([server.ended, executor.ended]);
  return seconds;
}

async function bullMqSeconds({ port }: Redis): Promise<number> {
  const load = { port, queue: `bench-${randomUUID()}`, jobs: JOBS, slots: SLOTS };
  const worker = start("bullmqload", { ...load, role: "work" });
  await nextLine(worker.lines);
  const done = nextLine(worker.lines);
  const begin = performance.now();
  const adder = start("bullmqload", { ...load, role: "add" });
  await done;
  const seconds = (performance.now() - begin) / 1_000;
  await Promise.all([worker.ended, adder.ended]);
  return seconds;
}

/**
 * Jobs that do nothing, per second from end to end: published, claimed, run, acked, their result in MongoDB on a
 * majority. Beside it in the same run the raw limit of the same stores, and BullMQ on Redis, which keeps no result in a
 * database. One server and one executor of 32 slots, and for the others one process for each of the two sides.
 */
export async function queue(): Promise<object> {
  console.log(machine());
  await fetchBullMq();
  const redis = await startRedis();
  const works = await startWorkStack(
    { executors: 1, slots: SLOTS },
    // All of it is of a few people, and all of it is to be on its way.
    { extraEnv: { server: { DOCKET_LIMIT_DISPATCH_WINDOW: "4000", DOCKET_LIMIT_OWNER_WINDOW: "500" } } },
  );
  try {
    const rates = { docket: [] as number[], rawLimit: [] as number[], bullmq: [] as number[] };
    await works.run(1_000, 0);
    for (let round = 0; round < ROUNDS; round++) {
      rates.docket.push(JOBS / (await works.run(JOBS, 0)));
      rates.rawLimit.push(JOBS / (await rawSeconds(works)));
      rates.bullmq.push(JOBS / (await bullMqSeconds(redis)));
    }
    const jobsPerSecond = {
      docket: rounded(median(rates.docket), 0),
      rawLimit: rounded(median(rates.rawLimit), 0),
      bullmq: rounded(median(rates.bullmq), 0),
    };
    console.log(
      table([
        ["no-op jobs end to end", "per second"],
        ["Docket", jobsPerSecond.docket],
        ["raw limit of NATS and MongoDB", jobsPerSecond.rawLimit],
        ["BullMQ on Redis, append-only file", jobsPerSecond.bullmq],
      ]),
    );
    return { jobsPerSecond, ratioToRaw: rounded(jobsPerSecond.docket / jobsPerSecond.rawLimit, 3) };
  } finally {
    await works.stop();
    await redis.stop();
  }
}
