import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { NatsConnection } from "@nats-io/transport-node";
import { MongoClient } from "mongodb";
import type { JudgementDocument, WorkDocument } from "../src/server/store/documents.ts";
import { held } from "../src/server/store/held.ts";
import { judgementId, newSubmissionId, type Sha256 } from "../src/shared/ids.ts";
import { connectNats, decodeJson } from "../src/shared/nats.ts";
import { Announcement } from "../src/shared/protocol.ts";
import { WorkName } from "../src/shared/queue.ts";
import { subjects, type Topology } from "../src/shared/topology.ts";
import { type Stack, type StackOptions, startStack } from "../src/supervisor/stack.ts";

/** The kind of work that benchmarks use: examples/workloads/sleep. */
export const SLEEP = WorkName.parse("sleep");
const FOLDER = join(import.meta.dirname, "../examples/workloads", SLEEP);
const LANE = "practice";
/** So many people hand in: the line is fair among them, and must be quick about it. */
const OWNERS = 8;
const INSERT_BATCH = 5_000;

export interface WorkStack {
  readonly stack: Stack;
  /**
   * Stores `count` sleeps as if they waited in line, then lets them go and waits until all have their result in
   * MongoDB; seconds from the one to the other.
   */
  run(count: number, ms: number): Promise<number>;
  stop(): Promise<void>;
}

/** A whole stack whose one pool does nothing but sleep. */
export async function startWorkStack(
  pool: { readonly executors: number; readonly slots: number },
  more: Pick<StackOptions, "extraEnv"> = {},
): Promise<WorkStack> {
  const stack = await startStack({
    pools: [{ name: "sleepers", workloads: [FOLDER], lanes: [LANE], ...pool }],
    env: process.env,
    extraEnv: {
      ...more.extraEnv,
      server: { DOCKET_LOG_LEVEL: "error", ...more.extraEnv?.["server"] },
      executors: { DOCKET_LOG_LEVEL: "error", ...more.extraEnv?.["executors"] },
    },
    onLine: (name, line) => {
      if (!["mongod", "nats-server"].includes(name)) console.error(`${name}: ${line}`);
    },
  });
  const mongo = new MongoClient(stack.mongodbUrl);
  const nats = await connectNats(stack.nats, "bench");
  const topology = { prefix: stack.topologyPrefix, replicas: 1 };
  return {
    stack,
    run: async (count, ms) => await runWorks({ mongo, nats, topology, database: stack.database }, count, ms),
    stop: async () => {
      await Promise.all([mongo.close(), nats.close()]);
      await stack.stop();
    },
  };
}

interface RunDeps {
  readonly mongo: MongoClient;
  readonly nats: NatsConnection;
  readonly topology: Topology;
  readonly database: string;
}

/** What `submitWork` stores, all of it held in line but for `released`. */
function documents(number: number, ms: number, round: string): [JudgementDocument, WorkDocument] {
  const at = new Date();
  const id = newSubmissionId(at.getTime());
  const shared = {
    kind: SLEEP,
    owner: `bench-${number % OWNERS}`,
    language: SLEEP,
    lane: LANE,
    generation: 1,
    createdAt: at,
  } as const;
  const { held: _, ...waiting } = held({ language: SLEEP, lane: LANE });
  return [
    {
      ...shared,
      ...waiting,
      _id: judgementId(id, 1),
      submission: id,
      state: "PENDING",
      delivery: 0,
      seq: 0,
      change: 0,
      tries: [],
      updatedAt: at,
    },
    {
      ...shared,
      _id: id,
      idempotencyKey: `${round}-${number}`,
      contentHash: "0".repeat(64) as Sha256,
      files: [],
      input: { ms },
    },
  ];
}

async function runWorks(deps: RunDeps, count: number, ms: number): Promise<number> {
  const db = deps.mongo.db(deps.database);
  const judgements = db.collection<JudgementDocument>("judgements");
  const submissions = db.collection<WorkDocument>("submissions");
  const round = randomUUID();
  for (let from = 0; from < count; from += INSERT_BATCH) {
    const batch = Array.from({ length: Math.min(INSERT_BATCH, count - from) }, (_, i) =>
      documents(from + i, ms, round),
    );
    await judgements.insertMany(batch.map(([judgement]) => judgement));
    await submissions.insertMany(batch.map(([, submission]) => submission));
  }
  const done = Promise.withResolvers<number>();
  const finals = new Set<string>();
  const subscription = deps.nats.subscribe(subjects.allUpdates(deps.topology), {
    callback: (_error, message) => {
      if (decodeJson(Announcement, message.data)?.final !== true) return;
      finals.add(message.subject);
      if (finals.size === count) done.resolve(performance.now());
    },
  });
  await deps.nats.flush();
  const mine = { state: "PENDING", kind: SLEEP, dispatch: 0 } as const;
  const begin = performance.now();
  await judgements.updateMany(mine, {
    $set: { held: held({ language: SLEEP, lane: LANE }).held ?? "" },
    $inc: { change: 1 },
  });
  const end = await done.promise;
  subscription.unsubscribe();
  const unfinished = await judgements.countDocuments({ kind: SLEEP, state: { $ne: "FINISHED" } });
  if (unfinished > 0) throw new Error(`${unfinished} works were announced as final and are not finished`);
  return (end - begin) / 1_000;
}
