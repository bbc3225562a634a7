import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Document, MongoClient } from "mongodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeJson, encodeJson } from "../../src/shared/nats.ts";
import { FenceAnswer } from "../../src/shared/protocol.ts";
import { subjects } from "../../src/shared/topology.ts";
import { type Mongod, startMongod } from "../../src/supervisor/mongod.ts";
import { type NatsServer, startNatsServer } from "../../src/supervisor/natsserver.ts";
import { startWatchdog } from "../../src/supervisor/watchdog.ts";
import { binaryPath } from "../support/binaries.ts";
import {
  accepted,
  eventually,
  openWire,
  program,
  putProblem,
  type RigInput,
  type Server,
  startServer,
  until,
  type Wire,
} from "./rig.ts";

/** Services of this suite's own: it stops them. */
let folder: string;
let nats: NatsServer;
let mongod: Mongod;
let server: Server;
let wire: Wire;
const watchdog = startWatchdog();
const RESULT = { verdict: "AC", tests: [] };

const startNats = (port = 0, name = "nats"): Promise<NatsServer> =>
  startNatsServer({ watchdog }, { binary: binaryPath("nats-server"), folder: join(folder, name), port });
const startMongo = (): Promise<Mongod> =>
  startMongod({ watchdog }, { binary: binaryPath("mongod"), folder: join(folder, "mongod") });
const input = (): RigInput => ({
  mongodbUrl: mongod.url,
  natsUrl: nats.url,
  database: "outages",
  topology: { prefix: "", replicas: 1 },
  timeoutMs: 2_000,
  reconcile: { intervalMs: 300, quietMs: 500 },
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "docket-outages-"));
  [nats, mongod] = await Promise.all([startNats(), startMongo()]);
  server = await startServer(input());
  wire = await openWire(input());
  await putProblem(server.store);
});
afterAll(async () => {
  await wire.close();
  await server.stop();
  await Promise.all([nats.child.stop(5_000), mongod.child.stop(5_000)]);
  await rm(folder, { recursive: true, force: true });
});

async function judgeNext(): Promise<string> {
  const executor = wire.executor("e1");
  const held = await executor.take();
  await executor.emit(held, 1, { type: "finished", result: RESULT });
  await executor.ack(held);
  return held.job.submission;
}

describe("without NATS", () => {
  it("submissions are taken as PENDING, and go their way when it is back", async () => {
    const { port } = nats;
    await nats.child.stop(5_000);
    await eventually(
      async () => server.backbone.connected(),
      (connected) => !connected,
    );
    const started = performance.now();
    const taken = [await accepted(server), await accepted(server)];
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(taken.map(({ judgement }) => [judgement.state, judgement.dispatch])).toEqual([
      ["PENDING", 0],
      ["PENDING", 0],
    ]);
    nats = await startNats(port);
    expect([await judgeNext(), await judgeNext()].toSorted()).toEqual(
      taken.map(({ submission }) => submission._id).toSorted(),
    );
    for (const { submission } of taken) {
      await until(server, submission._id, ({ judgement }) => judgement.state === "FINISHED");
    }
  });

  it("a server starts, takes submissions, and connects by itself", async () => {
    const { port } = nats;
    await nats.child.stop(5_000);
    const late = await startServer({ ...input(), instance: "late" });
    const { submission } = await accepted(late);
    nats = await startNats(port);
    await eventually(
      async () => late.backbone.connected(),
      (connected) => connected,
    );
    expect(await judgeNext()).toBe(submission._id);
    await until(late, submission._id, ({ judgement }) => judgement.state === "FINISHED");
    await late.stop();
  });

  it("with its disk lost, streams are made anew and every job is dispatched anew", async () => {
    const { port } = nats;
    const taken = [await accepted(server), await accepted(server), await accepted(server)];
    for (const { submission } of taken) {
      await until(server, submission._id, ({ judgement }) => judgement.state === "QUEUED");
    }
    await nats.child.stop(5_000);
    nats = await startNats(port, "empty");
    const judged = [await judgeNext(), await judgeNext(), await judgeNext()];
    expect(judged.toSorted()).toEqual(taken.map(({ submission }) => submission._id).toSorted());
    for (const { submission } of taken) {
      const last = await until(server, submission._id, ({ judgement }) => judgement.state === "FINISHED");
      expect(last.judgement.dispatch).toBe(2);
    }
  });
});

describe("without MongoDB", () => {
  it("a submission is refused with a time to try again, and events wait", async () => {
    const { submission } = await accepted(server);
    await until(server, submission._id, ({ judgement }) => judgement.state === "QUEUED");
    const updates = server.backbone.feed.watch(submission._id);
    await updates.next();
    await mongod.child.stop(10_000);
    const outcome = await server.backbone.submit(program());
    expect(outcome).toMatchObject({
      type: "refused",
      code: "SERVICE_UNAVAILABLE",
      retryAfterMs: expect.any(Number),
    });
    expect(await judgeNext()).toBe(submission._id);
    mongod = await startMongo();
    // The same watch goes on.
    let state: string | undefined;
    for await (const snapshot of updates) state = snapshot.judgement.state;
    expect(state).toBe("FINISHED");
    await eventually(
      () => server.backbone.submit(program()),
      (again) => again.type === "accepted",
    );
    await judgeNext();
  });

  it("that hangs, a submission is refused as well, and nothing of it is lost when it goes on", async () => {
    const key = { idempotencyKey: "hang", source: "print('hang')" };
    mongod.child.kill("SIGSTOP");
    const started = performance.now();
    const outcome = await server.backbone.submit(program(key)).finally(() => mongod.child.kill("SIGCONT"));
    expect(outcome).toMatchObject({ type: "refused", code: "SERVICE_UNAVAILABLE" });
    expect(performance.now() - started).toBeLessThan(12_000);
    const again = await eventually(
      () => server.backbone.submit(program(key)),
      (one) => one.type === "accepted",
    );
    if (again.type !== "accepted") throw new Error(again.code);
    expect(await judgeNext()).toBe(again.snapshot.submission._id);
    await until(server, again.snapshot.submission._id, ({ judgement }) => judgement.state === "FINISHED");
    expect(await wire.executor("e1").pull()).toBeUndefined();
  });
});

describe("with MongoDB put back to an older state", () => {
  it("what was unfinished in it is judged again, and jobs of what it does not know are dropped", async () => {
    const client = await new MongoClient(mongod.url).connect();
    const collections = (await client.db("outages").collections()).filter(
      ({ collectionName }) => !collectionName.startsWith("system."),
    );
    try {
      const kept = await accepted(server);
      await until(server, kept.submission._id, ({ judgement }) => judgement.state === "QUEUED");
      const backup = new Map<string, Document[]>();
      for (const one of collections) backup.set(one.collectionName, await one.find().toArray());

      expect(await judgeNext()).toBe(kept.submission._id);
      await until(server, kept.submission._id, ({ judgement }) => judgement.state === "FINISHED");
      const forgotten = await accepted(server);
      await until(server, forgotten.submission._id, ({ judgement }) => judgement.state === "QUEUED");

      await server.stop();
      for (const one of collections) {
        const documents = backup.get(one.collectionName) ?? [];
        await one.deleteMany({});
        if (documents.length > 0) await one.insertMany(documents);
      }
      server = await startServer(input());
      expect(await server.store.snapshots.get(forgotten.submission._id)).toBeUndefined();

      // An executor asks before it runs: nobody waits for this one.
      const executor = wire.executor("e1");
      const held = await executor.take();
      expect(held.job.submission).toBe(forgotten.submission._id);
      const { submission, generation, dispatch } = held.job;
      const check = encodeJson([{ submission, generation, dispatch, delivery: held.delivery }]);
      const asked = await wire.connection.request(subjects.fenceCheck(input().topology), check);
      expect(decodeJson(FenceAnswer, asked.data)).toEqual({ current: [false] });
      await executor.ack(held);

      expect(await judgeNext()).toBe(kept.submission._id);
      const last = await until(
        server,
        kept.submission._id,
        ({ judgement }) => judgement.state === "FINISHED",
      );
      expect(last.judgement.dispatch).toBe(2);
      expect(await executor.pull()).toBeUndefined();
    } finally {
      await client.close();
    }
  });
});
