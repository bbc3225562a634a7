import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { type Document, MongoClient } from "mongodb";
import { z } from "zod";
import { issueCapability } from "../../src/shared/capability.ts";
import { judgementId, newSubmissionId, type SubmissionId } from "../../src/shared/ids.ts";
import { connectNats, encodeJson } from "../../src/shared/nats.ts";
import {
  eventMessageId,
  eventStreamConfig,
  eventStreamOf,
  jobMessageId,
  jobStreamConfig,
  laneConsumerConfig,
  recorderConsumerConfig,
  streamOf,
  subjects,
  type Topology,
} from "../../src/shared/topology.ts";
import { SLEEP } from "../works.ts";

/**
 * What the two stores and their clients give without Docket's code: one process publishes the jobs, reads the events
 * and writes results in batches on a majority; the other one pulls jobs in batches, publishes one event for each and
 * acks. The streams, the messages and the documents are as large as Docket's and set up alike. One process each, as
 * the server and the executor are.
 */

const LANE = "practice";
const BATCH = 128;

export const RawQueue = z.object({
  role: z.enum(["server", "executor"]),
  mongodbUrl: z.string(),
  database: z.string(),
  nats: z.object({ url: z.string(), user: z.string().optional(), password: z.string().optional() }),
  prefix: z.string(),
  jobs: z.int(),
  slots: z.int(),
});
export type RawQueue = z.infer<typeof RawQueue>;

const CAPABILITY_SECRET = "a secret of the benchmark, as long as it must be";

const jobOf = (submission: SubmissionId): Uint8Array =>
  encodeJson({
    v: 1,
    kind: SLEEP,
    submission,
    generation: 1,
    dispatch: 1,
    language: SLEEP,
    lane: LANE,
    capability: issueCapability(CAPABILITY_SECRET, { submission, generation: 1, dispatch: 1, blobs: [] }),
    deadlineMs: 60_000,
    payload: { input: { ms: 0 }, files: [] },
  });

const documentOf = (submission: SubmissionId, more: object): Document & { _id: string } => ({
  _id: judgementId(submission, 1),
  submission,
  kind: SLEEP,
  owner: "bench-0",
  language: SLEEP,
  lane: LANE,
  generation: 1,
  dispatch: 1,
  delivery: 1,
  seq: Date.now(),
  change: 1,
  createdAt: new Date(),
  updatedAt: new Date(),
  tries: [],
  ...more,
});

async function server(load: RawQueue, topology: Topology): Promise<void> {
  const mongo = new MongoClient(load.mongodbUrl, { writeConcern: { w: "majority", journal: true } });
  const nats = await connectNats(load.nats, "raw server", { noAsyncTraces: true });
  const [js, jsm] = [jetstream(nats), await jetstreamManager(nats)];
  const collection = mongo.db(load.database).collection<Document & { _id: string }>("judgements");
  await jsm.streams.add(jobStreamConfig(topology, SLEEP));
  await jsm.streams.add(eventStreamConfig(topology));
  await jsm.consumers.add(streamOf(topology, SLEEP), laneConsumerConfig(topology, SLEEP, LANE));
  await jsm.consumers.add(eventStreamOf(topology), recorderConsumerConfig());
  const ids = Array.from({ length: load.jobs }, () => newSubmissionId(Date.now()));
  await collection.insertMany(ids.map((id) => documentOf(id, { state: "PENDING" })));
  process.stdout.write("ready\n");

  const begin = performance.now();
  const publishing = (async () => {
    for (let from = 0; from < ids.length; from += BATCH) {
      await Promise.all(
        ids
          .slice(from, from + BATCH)
          .map((id) =>
            js.publish(subjects.job(topology, SLEEP, LANE, id), jobOf(id), { msgID: jobMessageId(id, 1, 1) }),
          ),
      );
    }
  })();
  const consumer = await js.consumers.get(eventStreamOf(topology), "recorder");
  const events = await consumer.consume({ max_messages: 1_024 });
  let waiting: { submission: SubmissionId; ack: () => void }[] = [];
  let written = 0;
  let writing = 0;
  const done = Promise.withResolvers<void>();
  const write = async (): Promise<void> => {
    if (writing >= 2 || waiting.length === 0) return;
    writing += 1;
    const group = waiting.splice(0, BATCH);
    const finished = { state: "FINISHED", result: { sleptMs: 0 } };
    await collection.bulkWrite(
      group.map(({ submission }) => ({
        replaceOne: {
          filter: { _id: judgementId(submission, 1) },
          replacement: documentOf(submission, finished),
        },
      })),
      { ordered: false },
    );
    for (const { ack } of group) ack();
    written += group.length;
    writing -= 1;
    if (written >= load.jobs) done.resolve();
    else void write();
  };
  const reading = (async () => {
    for await (const message of events) {
      const { submission } = message.json<{ submission: SubmissionId }>();
      waiting.push({ submission, ack: () => message.ack() });
      if (waiting.length === 1) setImmediate(() => void write());
    }
  })();
  await Promise.all([publishing, done.promise]);
  const seconds = (performance.now() - begin) / 1_000;
  await events.close();
  await reading;
  for (const stream of [streamOf(topology, SLEEP), eventStreamOf(topology)]) await jsm.streams.delete(stream);
  await mongo.db(load.database).dropDatabase();
  await Promise.all([nats.close(), mongo.close()]);
  process.stdout.write(`${JSON.stringify({ seconds })}\n`);
}

async function executor(load: RawQueue, topology: Topology): Promise<void> {
  const nats = await connectNats(load.nats, "raw executor", { noAsyncTraces: true });
  const js = jetstream(nats);
  const consumer = await js.consumers.get(streamOf(topology, SLEEP), LANE);
  if ((await consumer.info()).config.ack_policy !== AckPolicy.Explicit)
    throw new Error("not Docket's consumer");
  const messages = await consumer.consume({ max_messages: load.slots * 2 });
  let left = load.jobs;
  for await (const message of messages) {
    const job = message.json<{ submission: SubmissionId; capability: string }>();
    const fence = { generation: 1, dispatch: 1, delivery: 1 };
    const seq = Date.now();
    const { submission, capability } = job;
    const result = { sleptMs: 0 };
    const head = { v: 1, kind: SLEEP, submission, ...fence, executor: "raw", seq, atMs: seq };
    const event = encodeJson({ ...head, capability, type: "finished", result });
    const subject = `${topology.prefix}events.raw.${submission}`;
    void js.publish(subject, event, { msgID: eventMessageId(submission, fence, seq) }).then(() => {
      message.ack();
      left -= 1;
      if (left === 0) messages.stop();
      return undefined;
    });
  }
  await nats.drain();
}

const load = RawQueue.parse(JSON.parse(process.argv[2] ?? ""));
const topology: Topology = { prefix: load.prefix, replicas: 1, works: [SLEEP] };
await (load.role === "server" ? server(load, topology) : executor(load, topology));
