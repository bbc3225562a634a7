import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { isFinal, type SubmissionSnapshot } from "../../src/server/store/documents.ts";
import { type Mongod, startMongod } from "../../src/supervisor/mongod.ts";
import { type NatsServer, startNatsServer } from "../../src/supervisor/natsserver.ts";
import { startWatchdog } from "../../src/supervisor/watchdog.ts";
import { binaryPath } from "../support/binaries.ts";
import {
  eventually,
  type Executor,
  type Held,
  openWire,
  program,
  putProblem,
  type RigInput,
  type Server,
  startServer,
  type Wire,
  withoutDelivery,
} from "./rig.ts";

const VICTIM = fileURLToPath(new URL("victim.ts", import.meta.url));
const SUBMISSIONS = 60;
const TROUBLE_MS = 12_000;

let folder: string;
let nats: NatsServer;
let mongod: Mongod;
let server: Server;
let wire: Wire;
const watchdog = startWatchdog();
const victims = new Set<ChildProcess>();

const startNats = (port: number): Promise<NatsServer> =>
  startNatsServer({ watchdog }, { binary: binaryPath("nats-server"), folder: join(folder, "nats"), port });
const startMongo = (): Promise<Mongod> =>
  startMongod({ watchdog }, { binary: binaryPath("mongod"), folder: join(folder, "mongod") });
const input = (): RigInput => ({
  mongodbUrl: mongod.url,
  natsUrl: nats.url,
  database: "chaos",
  topology: { prefix: "", replicas: 1 },
  // Holders die for the fun of it here, not for the job's fault.
  limits: { tries: 1_000 },
  reconcile: { intervalMs: 1_000, quietMs: 2_000 },
});

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "docket-chaos-"));
  [nats, mongod] = await Promise.all([startNats(0), startMongo()]);
  server = await startServer(input());
  wire = await openWire(input());
  await putProblem(server.store);
});
afterAll(async () => {
  for (const victim of victims) victim.kill("SIGKILL");
  await wire.close();
  await server.stop();
  await Promise.all([nats.child.stop(5_000), mongod.child.stop(5_000)]);
  await rm(folder, { recursive: true, force: true });
});

async function startVictim(): Promise<ChildProcess> {
  const victim = spawn(process.execPath, [VICTIM, JSON.stringify(input())], {
    stdio: ["pipe", "pipe", "ignore"],
  });
  victims.add(victim);
  if (victim.stdout) await Promise.race([once(victim.stdout, "data"), once(victim, "exit")]);
  return victim;
}

/** Servers that die without a word, one after the other. */
async function killServers(until: number): Promise<void> {
  while (performance.now() < until) {
    const victim = await startVictim();
    await sleep(400 + Math.random() * 1_500);
    victim.kill("SIGKILL");
    victims.delete(victim);
  }
}

async function killServices(): Promise<void> {
  await sleep(3_000);
  const { port } = nats;
  nats.child.kill("SIGKILL");
  await nats.child.exited;
  await sleep(500);
  nats = await startNats(port);
  await sleep(2_000);
  mongod.child.kill("SIGKILL");
  await mongod.child.exited;
  await sleep(500);
  mongod = await startMongo();
}

/** Submits as a client does that wants to be sure: the same key until there is an answer. */
async function submit(i: number): Promise<SubmissionSnapshot> {
  await sleep((i * TROUBLE_MS) / SUBMISSIONS);
  for (;;) {
    const outcome = await server.backbone.submit(
      program({ source: `print(${i})`, idempotencyKey: `key ${i}` }),
    );
    if (outcome.type === "accepted") return outcome.snapshot;
    expect(outcome.code).toBe("SERVICE_UNAVAILABLE");
    await sleep(200);
  }
}

const done = new Set<string>();
const nameOf = ({ job, delivery }: Held): string => `${job.submission} ${job.dispatch} ${delivery}`;

/** An executor's life with one job. What fails because the broker is away is as if it had died. */
async function live(executor: Executor, held: Held, trouble: boolean): Promise<void> {
  const fate = trouble ? Math.random() : 1;
  await executor.emit(held, 1, { type: "started" });
  if (fate < 0.2) return;
  if (fate < 0.3) {
    await executor.emit(held, 2, { type: "released" });
    return await executor.nak(held);
  }
  if (fate < 0.4) {
    const fault = { code: "INTERNAL", message: "trouble", retry: true, shared: false } as const;
    await executor.emit(held, 2, { type: "fault", fault });
    return await executor.nak(held, 200);
  }
  await executor.emit(held, 2, { type: "progress", result: { tests: 1 } });
  done.add(nameOf(held));
  await executor.emit(held, 3, { type: "finished", result: { verdict: "AC", by: nameOf(held) } });
  // Dies before the ack: somebody gets the job again.
  if (fate < 0.5) return;
  await executor.ack(held);
  // A word after the last one.
  if (fate < 0.6) await executor.emit(held, 4, { type: "progress", result: { tests: 2 } });
}

async function work(id: string, troubleUntil: number, stop: AbortSignal): Promise<void> {
  const executor = wire.executor(id);
  while (!stop.aborted) {
    const held = await executor.pull().catch(() => undefined);
    if (held === undefined) await sleep(50);
    else await live(executor, held, performance.now() < troubleUntil).catch(() => undefined);
  }
}

it("loses no accepted submission and gives each exactly one final state, whoever dies", async () => {
  const until = performance.now() + TROUBLE_MS;
  const stop = new AbortController();
  const workers = ["e1", "e2", "e3"].map((id) => work(id, until, stop.signal));
  const trouble = Promise.all([killServers(until), killServices()]);
  const accepted = await Promise.all(Array.from({ length: SUBMISSIONS }, (_, i) => submit(i)));
  await trouble;
  const ids = accepted.map((snapshot) => snapshot.submission._id);
  expect(new Set(ids).size).toBe(SUBMISSIONS);

  const finals = await eventually(
    () => server.store.snapshots.many(ids),
    (all) => all.length === SUBMISSIONS && all.every(({ judgement }) => isFinal(judgement.state)),
    90_000,
  );
  for (const { judgement } of finals) {
    expect(judgement.state).toBe("FINISHED");
    // The verdict of a holder that gave it, and of the newest one the judgement knows.
    const { by } = judgement.result as { by: string };
    expect(done.has(by)).toBe(true);
    expect(by).toBe(`${judgement.submission} ${judgement.dispatch} ${judgement.delivery}`);
  }
  // Nothing more comes of what is still under way.
  await eventually(
    () => server.backbone.queues(),
    (queues) => queues.every((queue) => queue.inStream + queue.pending === 0),
    30_000,
  );
  stop.abort();
  await Promise.all(workers);
  expect(await server.store.snapshots.page({ first: SUBMISSIONS * 2 })).toHaveLength(SUBMISSIONS);
  const later = new Map(
    (await server.store.snapshots.many(ids)).map((one) => [one.submission._id, one.judgement]),
  );
  for (const { submission, judgement } of finals) {
    const one = later.get(submission._id);
    expect(one && withoutDelivery(one)).toEqual(withoutDelivery(judgement));
  }
}, 180_000);
