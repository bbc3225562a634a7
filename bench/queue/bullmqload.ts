import { z } from "zod";
import { loadBullMq } from "./bullmq.ts";

/** One side of the comparison with BullMQ, as a process of its own: adds all jobs, or works on them. */
export const BullMqLoad = z.object({
  role: z.enum(["add", "work"]),
  port: z.int(),
  queue: z.string(),
  jobs: z.int(),
  slots: z.int(),
});
export type BullMqLoad = z.infer<typeof BullMqLoad>;

const BATCH = 128;
const { role, port, queue: name, jobs, slots } = BullMqLoad.parse(JSON.parse(process.argv[2] ?? ""));
const { Queue, Worker } = loadBullMq();
const connection = { host: "127.0.0.1", port, maxRetriesPerRequest: null };

if (role === "add") {
  const queue = new Queue(name, { connection });
  for (let from = 0; from < jobs; from += BATCH) {
    const count = Math.min(BATCH, jobs - from);
    await queue.addBulk(
      Array.from({ length: count }, () => ({ name, data: { ms: 0 }, opts: { removeOnComplete: true } })),
    );
  }
  await queue.close();
} else {
  let left = jobs;
  const done = Promise.withResolvers<void>();
  const worker = new Worker(name, () => Promise.resolve({ sleptMs: 0 }), { connection, concurrency: slots });
  worker.on("completed", () => {
    left -= 1;
    if (left === 0) done.resolve();
  });
  await worker.waitUntilReady();
  process.stdout.write("ready\n");
  await done.promise;
  process.stdout.write("done\n");
  await worker.close();
}
