import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { SubmissionSnapshot } from "../../src/server/store/documents.ts";
import { eventStreamOf, RECORDER_CONSUMER } from "../../src/shared/topology.ts";
import { namespace } from "../support/namespace.ts";
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
} from "./rig.ts";

const ns = namespace();
const VICTIM = fileURLToPath(new URL("victim.ts", import.meta.url));
const RESULT = { verdict: "AC", tests: [] };
/** What DESIGN promises: published within 2 s of a server being up. Time for a start and a loaded machine on top. */
const SOON_MS = 6_000;

let wire: Wire;
let server: Server | undefined;
const victims: ChildProcess[] = [];

beforeAll(async () => {
  wire = await openWire(ns);
  const first = await startServer(ns);
  await putProblem(first.store);
  await first.stop();
});
afterEach(async () => {
  for (const victim of victims.splice(0)) victim.kill("SIGKILL");
  await server?.stop();
  server = undefined;
});
afterAll(() => wire.close());

/** A server in a process of its own that dies at `place`. */
async function startVictim(place: string, more: object = {}): Promise<ChildProcess> {
  const { mongodbUrl, natsUrl, database, topology } = ns;
  const input = JSON.stringify({ mongodbUrl, natsUrl, database, topology, ...more });
  const victim = spawn(process.execPath, [VICTIM, input, place], { stdio: ["pipe", "pipe", "inherit"] });
  victims.push(victim);
  if (!victim.stdout) throw new Error("no stdout");
  await once(victim.stdout, "data");
  return victim;
}

async function death(victim: ChildProcess): Promise<void> {
  if (victim.signalCode === null) await once(victim, "exit");
  expect(victim.signalCode).toBe("SIGKILL");
}

const say = (victim: ChildProcess, input: object): void =>
  void victim.stdin?.write(`${JSON.stringify(input)}\n`);

const only = async (one: Server, owner: string): Promise<SubmissionSnapshot | undefined> =>
  (await one.store.snapshots.page({ owner, first: 5 }))[0];

/** Takes the owner's job, ends it, and sees that there is no second one. */
async function judge(one: Server, snapshot: SubmissionSnapshot): Promise<void> {
  const executor = wire.executor("e1");
  const held = await executor.take();
  expect(held.job.submission).toBe(snapshot.submission._id);
  await executor.emit(held, 1, { type: "finished", result: RESULT });
  await executor.ack(held);
  await until(one, snapshot.submission._id, (now) => now.judgement.state === "FINISHED");
  expect(await executor.pull()).toBeUndefined();
}

describe("a server that dies", () => {
  it("between the insert and the publish: another one publishes", async () => {
    server = await startServer(ns);
    const up = server;
    const victim = await startVictim("intake.afterInsert");
    say(victim, { owner: "ann1" });
    await death(victim);
    const died = performance.now();
    const found = await eventually(
      () => only(up, "ann1"),
      (one) => one !== undefined,
    );
    if (!found) throw new Error("not stored");
    await judge(up, found);
    expect(performance.now() - died).toBeLessThan(SOON_MS);
  });

  it("between the insert and the publish, alone: the next one publishes when it is up", async () => {
    const victim = await startVictim("intake.afterInsert");
    say(victim, { owner: "ann2" });
    await death(victim);
    server = await startServer(ns);
    const found = await only(server, "ann2");
    if (!found) throw new Error("not stored");
    expect(found.judgement.state).toBe("PENDING");
    await judge(server, found);
  });

  it("on the brink of the publish: the next one publishes it", async () => {
    const victim = await startVictim("dispatch.beforePublish");
    say(victim, { owner: "ann7", idempotencyKey: "k7" });
    await death(victim);
    server = await startServer(ns);
    const found = await only(server, "ann7");
    if (!found) throw new Error("not stored");
    await judge(server, found);
  });

  it("after the publish, before the answer: one job", async () => {
    const victim = await startVictim("dispatch.afterPublish");
    say(victim, { owner: "ann3", idempotencyKey: "k3" });
    await death(victim);
    server = await startServer(ns);
    const found = await only(server, "ann3");
    if (!found) throw new Error("not stored");
    await judge(server, found);
  });

  it("before the submission is there: nobody was told, and the same key is taken", async () => {
    const victim = await startVictim("intake.afterJudgement");
    say(victim, { owner: "ann4", idempotencyKey: "k4", source: "print(4)" });
    await death(victim);
    server = await startServer(ns);
    expect(await only(server, "ann4")).toBeUndefined();
    const again = await accepted(server, { owner: "ann4", idempotencyKey: "k4", source: "print(4)" });
    await judge(server, again);
  });

  it("between the recorder's write and the ack: the event comes again and changes nothing", async () => {
    const victim = await startVictim("results.afterWrite");
    say(victim, { owner: "ann5" });
    if (victim.stdout) await once(victim.stdout, "data");
    const executor = wire.executor("e1");
    const held = await executor.take();
    await executor.emit(held, 1, { type: "finished", result: RESULT });
    await death(victim);
    server = await startServer(ns);
    const up = server;
    const found = await only(server, "ann5");
    expect(found?.judgement).toMatchObject({ state: "FINISHED", result: RESULT });
    const consumer = () => wire.jsm.consumers.info(eventStreamOf(ns.topology), RECORDER_CONSUMER);
    expect((await consumer()).num_ack_pending).toBe(1);
    await eventually(consumer, (info) => info.num_ack_pending === 0, 25_000);
    expect((await only(up, "ann5"))?.judgement).toEqual(found?.judgement);
    await executor.ack(held);
  });

  it("between the raise of a dispatch and its publish: the outbox publishes that dispatch", async () => {
    server = await startServer(ns);
    const { submission, judgement } = await accepted(server, { owner: "ann6" });
    await until(server, submission._id, (snapshot) => snapshot.judgement.state === "QUEUED");
    await server.stop();
    server = undefined;
    await purgeJob(wire, ns.topology, judgement);
    await death(await startVictim("dispatch.afterRaise", { reconcile: { intervalMs: 100, quietMs: 1 } }));
    server = await startServer(ns);
    expect((await only(server, "ann6"))?.judgement).toMatchObject({ state: "PENDING", dispatch: 2 });
    const found = await only(server, "ann6");
    if (!found) throw new Error("not stored");
    await judge(server, found);
    expect((await only(server, "ann6"))?.judgement.dispatch).toBe(2);
  });
});
