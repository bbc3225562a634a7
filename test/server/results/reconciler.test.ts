import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findJob } from "../../../src/server/broker/jobs.ts";
import { createLink } from "../../../src/server/broker/link.ts";
import { createResultMeasures } from "../../../src/server/results/measures.ts";
import { createReconciler } from "../../../src/server/results/reconciler.ts";
import { createStuckCount } from "../../../src/server/results/stuckcount.ts";
import { openStore } from "../../../src/server/store/store.ts";
import { systemClock } from "../../../src/shared/clock.ts";
import { createLog } from "../../../src/shared/log.ts";
import { NO_TRACER } from "../../../src/shared/trace.ts";
import type { SubmissionId } from "../../../src/shared/ids.ts";
import { LANGUAGE_IDS } from "../../../src/shared/language.ts";
import {
  advisoryStreamOf,
  eventStreamOf,
  MAX_DELIVER,
  RECORDER_CONSUMER,
  streamOf,
} from "../../../src/shared/topology.ts";
import { namespace } from "../../support/namespace.ts";
import {
  accepted,
  eventually,
  openWire,
  purgeJob,
  putProblem,
  type Server,
  startServer,
  until,
  type Wire,
} from "../rig.ts";

const ns = namespace();
let server: Server;
let wire: Wire;

beforeAll(async () => {
  server = await startServer({ ...ns, reconcile: { intervalMs: 200, quietMs: 300 } });
  wire = await openWire(ns);
  await putProblem(server.store);
});
afterAll(async () => {
  await wire.close();
  await server.stop();
});

const RESULT = { verdict: "AC", tests: [] };
const jobs = () => ({ jsm: wire.jsm, topology: ns.topology });

async function queued(language = "python"): Promise<SubmissionId> {
  const { submission } = await accepted(server, { language });
  await until(server, submission._id, (snapshot) => snapshot.judgement.state === "QUEUED");
  return submission._id;
}

/** Waits for the job of a dispatch and ends it. */
async function finish(id: SubmissionId, dispatch: number, language: "python" | "go" | "java" = "python") {
  const executor = wire.executor("e1");
  await eventually(
    () => findJob(jobs(), { language, lane: "practice", submission: id }).catch(() => undefined),
    (found) => found?.job?.dispatch === dispatch,
  );
  const held = await executor.take(language);
  expect(held.job).toMatchObject({ submission: id, dispatch });
  await executor.emit(held, 1, { type: "finished", result: RESULT });
  await executor.ack(held);
  const final = await until(server, id, (snapshot) => snapshot.judgement.state === "FINISHED");
  expect(final.judgement.dispatch).toBe(dispatch);
}

describe("a job that is in no stream", () => {
  it("is dispatched anew after a purge by hand", async () => {
    const id = await queued();
    await purgeJob(wire, ns.topology, { language: "python", lane: "practice", submission: id });
    await finish(id, 2);
  });

  it("is dispatched anew after a late ack of a holder that never reported", async () => {
    const id = await queued();
    const e1 = wire.executor("zombie");
    const held = await e1.take();
    await e1.emit(held, 1, { type: "started" });
    await e1.ack(held);
    await finish(id, 2);
    // The first holder's tries stay in the history.
    const judgement = (await server.store.snapshots.get(id))?.judgement;
    expect(judgement?.tries.map((one) => one.executor)).toEqual(["zombie", "e1"]);
  });

  it("is dispatched anew when all job streams are gone, and the streams are made again", async () => {
    const ids = [await queued("go"), await queued("java")];
    for (const language of LANGUAGE_IDS) await wire.jsm.streams.delete(streamOf(ns.topology, language));
    await finish(ids[0] as SubmissionId, 2, "go");
    await finish(ids[1] as SubmissionId, 2, "java");
    for (const language of LANGUAGE_IDS) await wire.jsm.streams.info(streamOf(ns.topology, language));
  });

  it("is found by its id when a message of another dispatch has its subject", async () => {
    const id = await queued();
    await purgeJob(wire, ns.topology, { language: "python", lane: "practice", submission: id });
    const second = await eventually(
      () => findJob(jobs(), { language: "python", lane: "practice", submission: id }),
      (found) => found?.job?.dispatch === 2,
    );
    expect(second?.job?.dispatch).toBe(2);
    // The stored dispatch is ahead: as after a raise whose publish met a crash and whose state was restored.
    await until(server, id, ({ judgement }) => judgement.state === "QUEUED" && judgement.dispatch === 2);
    const judgement = (await server.store.snapshots.get(id))?.judgement;
    if (!judgement) throw new Error("not stored");
    await server.store.judgements.replaceIfUnchanged({
      ...judgement,
      dispatch: 5,
      change: judgement.change + 1,
    });
    await finish(id, 6);
  });
});

describe("the recorder's stream", () => {
  it("may be lost with all its events: the job is dispatched anew", async () => {
    const id = await queued();
    await wire.jsm.streams.delete(eventStreamOf(ns.topology));
    const held = await wire.executor("e1").take();
    await wire.executor("e1").ack(held);
    await eventually(
      () => wire.jsm.streams.info(eventStreamOf(ns.topology)).catch(() => undefined),
      (info) => info !== undefined,
    );
    await finish(id, 2);
  });

  it("may lose its consumer: events are read from the start again and change nothing", async () => {
    await wire.jsm.consumers.delete(eventStreamOf(ns.topology), RECORDER_CONSUMER);
    const id = await queued();
    await finish(id, 1);
  });
});

describe("an event that is not read yet", () => {
  it("keeps its judgement from being dispatched anew", async () => {
    const id = await queued();
    const executor = wire.executor("e1");
    const held = await executor.take();
    // Nobody reads: the job is acked and its final event waits in the stream.
    await server.stop();
    await executor.emit(held, 1, { type: "finished", result: RESULT });
    await executor.ack(held);

    const store = await openStore({ url: ns.mongodbUrl, database: ns.database });
    const log = createLog("test", "silent");
    const link = createLink({ access: { url: ns.natsUrl }, name: "test", log });
    let rounds = 0;
    const dispatched: string[] = [];
    const reconciler = createReconciler({
      link,
      topology: ns.topology,
      log,
      tracer: NO_TRACER,
      measures: createResultMeasures(new Registry()),
      stored: () => undefined,
      ended: () => undefined,
      judgements: store.judgements,
      clock: systemClock,
      tries: 5,
      heardOf: () => undefined,
      redispatch: async (judgement) => dispatched.push(judgement.submission) > 0,
      leases: store.leases,
      instance: "alone",
      stuck: createStuckCount({ registry: new Registry(), clock: systemClock, afterMs: 0 }),
      mend: async () => {
        rounds += 1;
      },
      intervalMs: 50,
      quietMs: 1,
    });
    await link.start();
    await reconciler.start();
    // The second round starts when the first one has waited for the recorder in vain.
    await eventually(
      async () => rounds,
      (count) => count >= 2,
    );
    expect(dispatched).toEqual([]);
    // Read by hand and thrown away, it is an event that was lost: now the job is missed.
    await wire.jsm.streams.purge(eventStreamOf(ns.topology));
    await eventually(
      async () => dispatched,
      (all) => all.includes(id),
    );
    await reconciler.stop();
    await link.stop();
    await store.close();
    server = await startServer({ ...ns, reconcile: { intervalMs: 200, quietMs: 300 } });
    await finish(id, 2);
  });
});

describe("a job that was handed out too often", () => {
  const exhaust = async (): Promise<void> => {
    const e1 = wire.executor("e1");
    for (let i = 0; i < MAX_DELIVER; i++) await e1.nak(await e1.take());
  };

  it("becomes a dead letter by the broker's advisory when nobody said why", async () => {
    const id = await queued();
    await exhaust();
    expect(await wire.executor("e1").pull()).toBeUndefined();
    const { judgement } = await until(server, id, (snapshot) => snapshot.judgement.state === "FAILED");
    expect(judgement.deadLetter).toMatchObject({
      code: "TRIES_EXHAUSTED",
      reason: expect.stringContaining("20"),
    });
    await eventually(
      () => findJob(jobs(), { language: "python", lane: "practice", submission: id }),
      (found) => found === undefined,
    );
  });

  it("is dispatched anew when the advisory was lost, though its lane is never empty", async () => {
    const id = await queued();
    // Nobody is there to make the stream of advisories again before the broker gives up on the job.
    await server.stop();
    await wire.jsm.streams.delete(advisoryStreamOf(ns.topology));
    await exhaust();
    expect(await wire.executor("e1").pull()).toBeUndefined();
    server = await startServer({ ...ns, reconcile: { intervalMs: 100, quietMs: 1 } });
    // The broker counts what it has given up as settled with the next word that it gets.
    await finish(await queued(), 1);
    const { submission: next } = await accepted(server);
    const held = await wire.executor("e1").take();
    expect(held.job?.submission).toBe(next._id);
    await until(server, id, (snapshot) => snapshot.judgement.dispatch === 2);
    // Still in the hands of its holder.
    expect((await server.store.snapshots.get(next._id))?.judgement.dispatch).toBe(1);
    // Now the broker can say so.
    await exhaust();
    await wire.executor("e1").pull();
    const { judgement } = await until(server, id, (snapshot) => snapshot.judgement.state === "FAILED");
    expect(judgement.deadLetter?.code).toBe("TRIES_EXHAUSTED");
    await wire.executor("e1").emit(held, 1, { type: "finished", result: RESULT });
    await wire.executor("e1").ack(held);
    await until(server, next._id, (snapshot) => snapshot.judgement.state === "FINISHED");
  });

  it("is dispatched anew when it was always given back without blame", async () => {
    const id = await queued();
    const e1 = wire.executor("e1");
    for (let i = 1; i <= MAX_DELIVER; i++) {
      const held = await e1.take();
      await e1.emit(held, 1, { type: "released" });
      await until(server, id, (snapshot) => snapshot.judgement.delivery === i);
      await e1.nak(held);
    }
    await e1.pull();
    await finish(id, 2);
  });
});
