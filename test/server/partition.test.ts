import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { findJob } from "../../src/server/broker/jobs.ts";
import { isFinal, revisionOf, type SubmissionSnapshot } from "../../src/server/store/documents.ts";
import type { SubmissionId } from "../../src/shared/ids.ts";
import { streamOf } from "../../src/shared/topology.ts";
import { namespace } from "../support/namespace.ts";
import { type Proxy, startProxy, targetOf, throughProxy } from "../support/proxy.ts";
import {
  accepted,
  eventually,
  type Held,
  openWire,
  program,
  putProblem,
  type Server,
  startServer,
  until,
  type Wire,
} from "./rig.ts";

/** Two servers whose ways to NATS and MongoDB can be spoilt, each for itself. */
const ns = namespace();
let wire: Wire;
let servers: Server[];
let nats: Proxy[];
let mongo: Proxy[];
const RESULT = { verdict: "AC", tests: [] };

const one = (): Server => servers[0] as Server;

beforeAll(async () => {
  wire = await openWire(ns);
  nats = await Promise.all([0, 1].map(() => startProxy(targetOf(ns.natsUrl))));
  mongo = await Promise.all([0, 1].map(() => startProxy(targetOf(ns.mongodbUrl))));
  servers = [];
  for (const [i, natsProxy] of nats.entries()) {
    const server = await startServer({
      ...ns,
      natsUrl: throughProxy(ns.natsUrl, natsProxy),
      mongodbUrl: throughProxy(ns.mongodbUrl, mongo[i] as Proxy),
      instance: `partition-${i}`,
      reconcile: { intervalMs: 300, quietMs: 500 },
    });
    servers.push(server);
  }
  await putProblem(one().store);
});
afterEach(() => {
  for (const proxy of [...nats, ...mongo]) proxy.heal();
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await Promise.all([...nats, ...mongo].map((proxy) => proxy.close()));
  await wire.close();
});

async function judgeNext(name = "e1"): Promise<Held> {
  const executor = wire.executor(name);
  const held = await executor.take();
  await executor.emit(held, 1, { type: "started" });
  await executor.emit(held, 2, { type: "finished", result: RESULT });
  await executor.ack(held);
  return held;
}

const job = (submission: SubmissionId) =>
  findJob({ jsm: wire.jsm, topology: ns.topology }, { language: "python", lane: "practice", submission });

/** Every state until the final one, on a server that reaches everything. */
async function history(submission: SubmissionId): Promise<SubmissionSnapshot[]> {
  const seen: SubmissionSnapshot[] = [];
  for await (const snapshot of one().backbone.feed.watch(submission)) seen.push(snapshot);
  return seen;
}

describe("a server whose connection to NATS is dead without a word", () => {
  it.each(["swallow", "hold"] as const)(
    "still answers a submission, which goes out when the network is back (%s)",
    async (flow) => {
      for (const proxy of nats) proxy.flow(flow);
      const begun = performance.now();
      const { submission, judgement } = await accepted(one());
      expect(performance.now() - begun).toBeLessThan(4_000);
      expect(judgement.state).toBe("PENDING");
      for (const proxy of nats) proxy.heal();
      expect((await judgeNext()).job.submission).toBe(submission._id);
      const seen = await history(submission._id);
      expect(seen.at(-1)?.judgement).toMatchObject({ state: "FINISHED", delivery: 1 });
      expect(await wire.executor("e1").pull()).toBeUndefined();
    },
    60_000,
  );

  it("learns of a verdict that another server recorded, once it is back", async () => {
    const { submission } = await accepted(one());
    await until(one(), submission._id, ({ judgement }) => judgement.state === "QUEUED");
    const watching = history(submission._id);
    nats[0]?.flow("swallow");
    await judgeNext();
    // By the sweep: announcements cannot reach it.
    const seen = await watching;
    const revisions = seen.map(({ judgement }) => revisionOf(judgement));
    expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => a - b));
    expect(seen.filter(({ judgement }) => isFinal(judgement.state))).toHaveLength(1);
  });
});

describe("MongoDB behind a bad network", () => {
  it("slow: submissions are taken, judged and shown, each once", async () => {
    for (const proxy of mongo) proxy.delay(60);
    const taken = await Promise.all(Array.from({ length: 12 }, (_, i) => accepted(servers[i % 2] as Server)));
    const judged = new Set<string>();
    while (judged.size < taken.length) judged.add((await judgeNext()).job.submission);
    for (const { submission } of taken) {
      const seen = await history(submission._id);
      expect(seen.filter(({ judgement }) => isFinal(judgement.state))).toHaveLength(1);
      expect(seen.at(-1)?.judgement).toMatchObject({ state: "FINISHED", dispatch: 1, delivery: 1 });
    }
  }, 60_000);

  it("cut again and again while submissions come in: who repeats with the same key gets one each", async () => {
    const cutting = setInterval(() => mongo[0]?.cut(), 60);
    try {
      const outcomes = await Promise.all(
        Array.from({ length: 30 }, (_, i) => {
          const input = program({ idempotencyKey: `cut-${i}`, source: `print(${i})`, owner: "cut" });
          return eventually(
            () => one().backbone.submit(input),
            (outcome) => outcome.type === "accepted",
            30_000,
          );
        }),
      );
      expect(outcomes.every((outcome) => outcome.type === "accepted")).toBe(true);
    } finally {
      clearInterval(cutting);
    }
    const stored = await one().store.snapshots.page({ owner: "cut", first: 100 });
    expect(stored).toHaveLength(30);
    const judged = new Set<string>();
    while (judged.size < 30) judged.add((await judgeNext()).job.submission);
    for (const { submission } of stored) {
      expect((await history(submission._id)).at(-1)?.judgement.state).toBe("FINISHED");
    }
    expect(await wire.executor("e1").pull()).toBeUndefined();
  }, 60_000);
});

describe("late words of a holder that lost its lease", () => {
  /** A job held by `old`, given back and taken over by `next`, which has started. */
  async function takenOver(): Promise<{ id: SubmissionId; old: Held; next: Held }> {
    const { submission } = await accepted(one());
    const [e1, e2] = [wire.executor("old"), wire.executor("next")];
    const old = await e1.take();
    await e1.emit(old, 1, { type: "started" });
    // As if the lease had run out: the broker hands it to the next one.
    await e1.nak(old);
    const next = await e2.take();
    await e2.emit(next, 1, { type: "started" });
    await until(one(), submission._id, ({ judgement }) => judgement.delivery === 2);
    return { id: submission._id, old, next };
  }

  it("a late nak hands the job out a third time: the newest holder's word counts", async () => {
    const { id, old, next } = await takenOver();
    await wire.executor("old").nak(old);
    const third = await wire.executor("third").take();
    expect(third.delivery).toBe(3);
    await wire.executor("third").emit(third, 1, { type: "started" });
    await until(one(), id, ({ judgement }) => judgement.delivery === 3);
    await wire.executor("next").emit(next, 2, { type: "finished", result: { verdict: "WA" } });
    await wire.executor("third").emit(third, 2, { type: "finished", result: RESULT });
    await wire.executor("third").ack(third);
    const seen = await history(id);
    expect(seen.at(-1)?.judgement).toMatchObject({ state: "FINISHED", delivery: 3, result: RESULT });
    expect(await job(id)).toBeUndefined();
  });

  it("a late ack takes the job away from its holder, and a fault of that one is tried again all the same", async () => {
    const { id, old, next } = await takenOver();
    await wire.executor("old").ack(old);
    expect(await job(id)).toBeUndefined();
    const fault = {
      code: "SANDBOX_FAILED",
      message: "no sandbox",
      retry: true,
      shared: false,
    } as const;
    await wire.executor("next").emit(next, 2, { type: "fault", fault });
    // Its nak finds nothing to give back.
    await wire.executor("next").nak(next);
    const again = await judgeNext("mended");
    expect(again.job).toMatchObject({ submission: id, dispatch: 2 });
    expect(again.delivery).toBe(1);
    expect((await history(id)).at(-1)?.judgement).toMatchObject({ state: "FINISHED", dispatch: 2 });
  });

  it("a late ack while the holder works on: its result counts, and no second job comes up", async () => {
    const { id, old, next } = await takenOver();
    await wire.executor("old").ack(old);
    await wire.executor("next").emit(next, 2, { type: "finished", result: RESULT });
    expect((await history(id)).at(-1)?.judgement).toMatchObject({ state: "FINISHED", delivery: 2 });
    // Two rounds of the reconciler later still nothing.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await job(id)).toBeUndefined();
  });

  it("a late heartbeat keeps nobody from taking over when the newer holder dies", async () => {
    const { id, old } = await takenOver();
    const beating = setInterval(() => wire.connection.publish(old.message.reply ?? "", "+WPI"), 500);
    setTimeout(() => clearInterval(beating), 3_000);
    const third = await wire.executor("third").take();
    expect(third.delivery).toBe(3);
    await wire.executor("third").emit(third, 1, { type: "finished", result: RESULT });
    await wire.executor("third").ack(third);
    expect((await history(id)).at(-1)?.judgement).toMatchObject({ state: "FINISHED", delivery: 3 });
  });
});

describe("delivery counts that start at 1 again", () => {
  async function heldTwice(): Promise<{ id: SubmissionId; second: Held }> {
    const { submission } = await accepted(one());
    const executor = wire.executor("counted");
    const first = await executor.take();
    await executor.emit(first, 1, { type: "started" });
    await executor.nak(first);
    const second = await executor.take();
    await executor.emit(second, Date.now(), { type: "started" });
    await until(one(), submission._id, ({ judgement }) => judgement.delivery === 2);
    return { id: submission._id, second };
  }

  it("by a consumer made anew: the judgement ends once, whoever is first", async () => {
    const { id, second } = await heldTwice();
    await wire.jsm.consumers.delete(streamOf(ns.topology, "python"), "practice");
    // The topology is made anew by the reconciler, and the message comes as if for the first time.
    const again = await eventually(
      () => wire.executor("anew").pull(),
      (held) => held !== undefined,
    );
    expect(again).toMatchObject({ delivery: 1, job: { submission: id, dispatch: 1 } });
    // What an executor does then: its fence is older than what is stored, so it drops the job.
    const fence = { submission: id, generation: 1, dispatch: 1, delivery: 1 };
    const answer = await wire.connection.request(
      `${ns.topology.prefix}fence.check`,
      JSON.stringify([fence]),
      {
        timeout: 2_000,
      },
    );
    expect(answer.json()).toEqual({ current: [false] });
    await wire.executor("anew").ack(again as Held);
    // The former holder is still at it, and its result counts.
    await wire.executor("counted").emit(second, Date.now(), { type: "finished", result: RESULT });
    expect((await history(id)).at(-1)?.judgement).toMatchObject({ state: "FINISHED" });
    expect((await history(id)).filter(({ judgement }) => isFinal(judgement.state))).toHaveLength(1);
  });

  it("by a consumer made anew whose former holder died: dispatched anew, judged once", async () => {
    const { id } = await heldTwice();
    await wire.jsm.consumers.delete(streamOf(ns.topology, "python"), "practice");
    const again = await eventually(
      () => wire.executor("anew").pull(),
      (held) => held !== undefined,
    );
    await wire.executor("anew").ack(again as Held);
    const third = await judgeNext("third");
    expect(third.job).toMatchObject({ submission: id, dispatch: 2 });
    expect(third.delivery).toBe(1);
    expect((await history(id)).at(-1)?.judgement).toMatchObject({ state: "FINISHED", dispatch: 2 });
  });

  it("by a job published anew: an old holder's higher count does not win over the newer dispatch", async () => {
    const { id, second } = await heldTwice();
    await wire.executor("counted").ack(second);
    const anew = await wire.executor("anew").take();
    expect(anew).toMatchObject({ delivery: 1, job: { dispatch: 2 } });
    await wire.executor("anew").emit(anew, 1, { type: "started" });
    await until(one(), id, ({ judgement }) => judgement.dispatch === 2 && judgement.delivery === 1);
    await wire.executor("counted").emit(second, Date.now(), { type: "finished", result: { verdict: "WA" } });
    await wire.executor("anew").emit(anew, 2, { type: "finished", result: RESULT });
    await wire.executor("anew").ack(anew);
    expect((await history(id)).at(-1)?.judgement).toMatchObject({ dispatch: 2, result: RESULT });
  });
});
