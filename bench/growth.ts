import { MongoClient } from "mongodb";
import { z } from "zod";
import { type Client, createClient } from "../src/cli/client.ts";
import { operation } from "../src/cli/operations.ts";
import { held } from "../src/server/store/held.ts";
import type { JudgementDocument, SubmissionDocument } from "../src/server/store/documents.ts";
import { judgementId, newSubmissionId, type SubmissionId } from "../src/shared/ids.ts";
import { connectNats } from "../src/shared/nats.ts";
import { consumerOf, streamOf } from "../src/shared/topology.ts";
import { startStack } from "../src/supervisor/stack.ts";
import { handInOne, inParallel } from "./crowd.ts";
import { machine, median, quantile, rounded, table } from "./figures.ts";
import { makePeople, type Person } from "./soak/clients.ts";
import { importSum } from "./sum.ts";
import { ONE_OWNER } from "./unlimited.ts";

const SIZES: readonly number[] = [0, 1_000, 10_000, 100_000];
const ROUNDS = 3;
const SUBMITS = 100;
const AT_ONCE = 4;
const CLAIMS = 40;
const NEARLY = 0.99;
/** Fewer than one owner has in the queue. */
const CLAIMS_HELD = 5;
const RELEASES = 30;
const READS = 30;
const OWNERS = 100;

const CANCEL = operation(
  `mutation ($id: ID!) { cancelSubmission(input: { id: $id }) { type: __typename } }`,
  z.object({ cancelSubmission: z.object({ type: z.string() }) }),
);
/** What a person looks at: a page of their own, the queues, where something of theirs stands. */
const READ = {
  submissions: operation(
    `{ submissions(first: 20) { edges { node { id state } } } }`,
    z.object({ submissions: z.object({ edges: z.array(z.unknown()) }) }),
  ),
  queues: operation(`{ queues { pending waiting running } }`, z.object({ queues: z.array(z.unknown()) })),
  position: operation(
    `{ submissions(first: 1) { edges { node { queuePosition estimatedWaitMs } } } }`,
    z.object({ submissions: z.object({ edges: z.array(z.unknown()) }) }),
  ),
} as const;
type Read = keyof typeof READ;

interface Figures {
  readonly submit: number[];
  readonly claim: number[];
  readonly release: number[];
  readonly reads: Record<Read, number[]>;
}

interface Claimed {
  readonly ms: number;
  readonly back: () => void;
}

const timed = async (act: () => Promise<unknown>): Promise<number> => {
  const begin = performance.now();
  await act();
  return performance.now() - begin;
};

/**
 * What it costs to submit, to take a job and to ask, with nothing and with very much waiting in the same language and
 * lane. What waits was put into the database as intake would have left it, of a hundred owners. A claim is an executor's
 * pull; a release the time from one's place coming free until the next job of one's own is in the queue.
 */
export async function growth(sizes: readonly number[] = SIZES): Promise<Record<string, unknown>> {
  console.log(machine());
  const stack = await startStack({
    pools: [],
    env: process.env,
    extraEnv: { server: { ...ONE_OWNER, DOCKET_LOG_LEVEL: "error" } },
    onLine: (name, line) => {
      if (name === "server") console.error(`${name}: ${line}`);
    },
  });
  const mongo = new MongoClient(stack.mongodbUrl);
  const nats = await connectNats(stack.nats, "bench");
  const next = `$JS.API.CONSUMER.MSG.NEXT.${streamOf({ prefix: stack.topologyPrefix, replicas: 1 }, "python")}.${consumerOf("practice")}`;
  /** As an executor takes a job. */
  const claim = async (): Promise<Claimed> => {
    const begin = performance.now();
    const message = await nats.request(next, JSON.stringify({ batch: 1, no_wait: true }), {
      timeout: 5_000,
      noMux: true,
    });
    const ms = performance.now() - begin;
    return { ms, back: () => message.respond("-NAK") };
  };
  try {
    await importSum(stack);
    const [person] = await makePeople(stack, 1);
    if (person === undefined) throw new Error("nobody is there");
    await measure(person, claim); // Warms up.
    const sample = await mongo
      .db(stack.database)
      .collection<SubmissionDocument>("submissions")
      .findOne({ language: "python" });
    if (sample === null) throw new Error("nothing was handed in");
    const figures: { size: number; figures: Figures }[] = [];
    let waiting = 0;
    for (const size of sizes) {
      await fill(mongo, stack.database, sample, size - waiting);
      waiting = size;
      await settle(createClient({ url: stack.url, token: stack.keys.jury }), size);
      const all: Figures = {
        submit: [],
        claim: [],
        release: [],
        reads: { submissions: [], queues: [], position: [] },
      };
      for (let round = 0; round < ROUNDS; round++) {
        const one = await measure(person, claim);
        all.submit.push(...one.submit);
        all.claim.push(...one.claim);
        all.release.push(...one.release);
        for (const name of Object.keys(READ) as Read[]) all.reads[name].push(...one.reads[name]);
      }
      figures.push({ size, figures: all });
      console.error(`${size} waiting: done`);
    }
    return report(figures);
  } finally {
    await Promise.all([mongo.close(), nats.close()]);
    await stack.stop();
  }
}

function report(
  all: readonly { readonly size: number; readonly figures: Figures }[],
): Record<string, unknown> {
  const names = Object.keys(READ) as Read[];
  const row = ({ figures }: { readonly figures: Figures }): number[] => [
    quantile(figures.submit, 0.99),
    median(figures.claim),
    median(figures.release),
    ...names.map((name) => median(figures.reads[name])),
  ];
  console.log(
    table([
      [
        "waiting",
        "submit p99 ms",
        "claim p50 ms",
        "release p50 ms",
        ...names.map((name) => `${name} p50 ms`),
      ],
      ...all.map((one) => [String(one.size), ...row(one).map((value) => rounded(value))]),
    ]),
  );
  const [empty] = all;
  const last = all.at(-1);
  if (empty === undefined || last === undefined) throw new Error("nothing was measured");
  const ratios = row(last).map((value, i) => rounded(value / (row(empty)[i] ?? Number.NaN), 3));
  const [submitP99Ratio, claimP50Ratio, releaseP50Ratio, ...reads] = ratios;
  return {
    submitP99Ratio,
    claimP50Ratio,
    releaseP50Ratio,
    ...Object.fromEntries(names.map((name, i) => [`${name}P50Ratio`, reads[i]])),
  };
}

/** One round with the person's own submissions: as many as fit in the queue and more, then taken back one by one. */
async function measure({ client }: Person, claimOne: () => Promise<Claimed>): Promise<Figures> {
  const submit: number[] = [];
  const ids: string[] = [];
  await inParallel(Array.from({ length: SUBMITS }), AT_ONCE, async () => {
    submit.push(await timed(async () => ids.push(await handInOne(client))));
  });
  const reads: Record<Read, number[]> = { submissions: [], queues: [], position: [] };
  for (let i = 0; i < READS; i++) {
    for (const name of Object.keys(READ) as Read[])
      reads[name].push(await timed(() => client.request<unknown>(READ[name])));
  }
  const claim: number[] = [];
  while (claim.length < CLAIMS) {
    // Given back together: one at a time it would be the same job each time, until it has been handed out too often.
    const taken: Claimed[] = [];
    for (let i = 0; i < CLAIMS_HELD; i++) taken.push(await claimOne());
    claim.push(...taken.map(({ ms }) => ms));
    for (const { back } of taken) back();
  }
  const release: number[] = [];
  for (const [i, id] of ids.entries()) {
    if (i < RELEASES) release.push(await timed(() => freed(client, id)));
    else await client.request(CANCEL, { id });
  }
  return { submit, claim, release, reads };
}

const PENDING = operation(
  `{ submissions(first: 100, filter: { state: PENDING }) { edges { node { id } } } }`,
  z.object({ submissions: z.object({ edges: z.array(z.unknown()) }) }),
);
const QUEUES = operation(
  `{ queues { pending waiting running } }`,
  z.object({ queues: z.array(z.object({ pending: z.int(), waiting: z.int(), running: z.int() })) }),
);

/** Takes one out of the queue and waits until the next one of the line is in it. */
async function freed(client: Client, id: string): Promise<void> {
  const pending = async (): Promise<number> => (await client.request(PENDING)).submissions.edges.length;
  const before = await pending();
  await client.request(CANCEL, { id });
  if (before > 0) for (; (await pending()) >= before;);
}

/**
 * Asks until the server has counted what was put in, and sent out what has a place. A few may be dead letters: a job
 * that is claimed and given back in every round has been handed out too often.
 */
async function settle(client: Client, size: number): Promise<void> {
  for (let before = -1; ;) {
    const { queues } = await client.request(QUEUES);
    const inQueue = queues.reduce((sum, one) => sum + one.waiting + one.running, 0);
    if (queues.reduce((sum, one) => sum + one.pending, inQueue) >= size * NEARLY && inQueue === before)
      return;
    before = inQueue;
    await new Promise((resolve) => setTimeout(resolve, 3_000));
  }
}

/** Puts submissions into the line; as many of each owner as may go out. */
async function fill(
  mongo: MongoClient,
  database: string,
  sample: SubmissionDocument,
  count: number,
): Promise<void> {
  const db = mongo.db(database);
  const place = { language: "python", lane: "practice" } as const;
  const now = Date.now();
  for (let done = 0; done < count; done += 5_000) {
    const ids = Array.from({ length: Math.min(5_000, count - done) }, () => newSubmissionId(now));
    const owner = (i: number): string => `waiting-${(done + i) % OWNERS}`;
    const shared = {
      kind: sample.kind,
      problem: sample.problem,
      ...place,
      generation: 1,
      createdAt: new Date(now),
    };
    const submissions = ids.map((_id: SubmissionId, i): SubmissionDocument => ({
      ...sample,
      ...shared,
      _id,
      owner: owner(i),
      idempotencyKey: `docket:${_id}`,
    }));
    const judgements = ids.map((submission: SubmissionId, i): JudgementDocument => ({
      ...shared,
      ...held(place),
      _id: judgementId(submission, 1),
      submission,
      owner: owner(i),
      state: "PENDING",
      delivery: 0,
      seq: 0,
      change: 0,
      tries: [],
      updatedAt: new Date(now),
    }));
    await Promise.all([
      db.collection<SubmissionDocument>("submissions").insertMany(submissions, { ordered: false }),
      db.collection<JudgementDocument>("judgements").insertMany(judgements, { ordered: false }),
    ]);
  }
}
