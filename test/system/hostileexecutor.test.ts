import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstream, jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hashApiKey } from "../../src/server/auth.ts";
import { findJob } from "../../src/server/broker/jobs.ts";
import { openStore, type Store } from "../../src/server/store/store.ts";
import { issueCapability } from "../../src/shared/capability.ts";
import { ExecutorId, type SubmissionId } from "../../src/shared/ids.ts";
import { LANES } from "../../src/shared/lane.ts";
import type { LanguageId } from "../../src/shared/language.ts";
import { connectNats, decodeJson, encodeJson } from "../../src/shared/nats.ts";
import { Job } from "../../src/shared/protocol.ts";
import { eventStreamOf, streamOf, subjects } from "../../src/shared/topology.ts";
import { type NatsServer, startNatsServer } from "../../src/supervisor/natsserver.ts";
import { authorizationConf, executorAllowance, inboxPrefixOf } from "../../src/supervisor/natsusers.ts";
import { startWatchdog } from "../../src/supervisor/watchdog.ts";
import { type ExecutorProcess, executorEnv, startExecutorProcess } from "../executors/backbone/stage.ts";
import { bearer, submit, watchBySocket } from "../server/http/client.ts";
import { putProblem } from "../server/http/testserver.ts";
import { binaryPath } from "../support/binaries.ts";
import { namespace } from "../support/namespace.ts";
import { until } from "../support/processes.ts";
import { type ServerProcess, startServerProcess } from "../support/serverprocess.ts";

/**
 * An executor in hostile hands: it has the real credentials of the generated nats.conf for Python's practice lane, and
 * holds a real job. A server process and an honest executor process of another language beside it.
 */
const ns = namespace();
const topology = { prefix: "h_", replicas: 1 };
const hostile = ExecutorId.parse("hostile");
const honest = ExecutorId.parse("honest");
const password = "a-password-of-the-test";
const folder = mkdtempSync(join(tmpdir(), "docket-hostile-"));
const KEY = "key-of-alice";
const JURY = "key-of-jury";

let nats: NatsServer;
let server: ServerProcess;
let worker: ExecutorProcess;
let store: Store;
let admin: NatsConnection;
let jsm: JetStreamManager;
let client: NatsConnection;

beforeAll(async () => {
  const plans = [
    { id: hostile, languages: ["python"], lanes: ["practice"] },
    { id: honest, languages: ["java"], lanes: LANES },
  ] as const;
  nats = await startNatsServer(
    { watchdog: startWatchdog() },
    {
      binary: binaryPath("nats-server"),
      folder: join(folder, "nats"),
      user: { name: "server", password },
      authorization: authorizationConf([
        { name: "server", password },
        ...plans.map((plan) => ({ name: plan.id, password, allow: executorAllowance(topology, plan) })),
      ]),
    },
  );
  store = await openStore({ url: ns.mongodbUrl, database: ns.database });
  const createdAt = new Date();
  await store.apiKeys.put({ _id: hashApiKey(KEY), owner: "alice", role: "participant", createdAt });
  await store.apiKeys.put({ _id: hashApiKey(JURY), owner: "judge", role: "jury", createdAt });
  await putProblem(store, "sum");
  await putProblem(store, "other");
  server = await startServerProcess(
    { ...ns, natsUrl: nats.url, topology },
    { NATS_USER: "server", NATS_PASSWORD: password, DOCKET_LOG_LEVEL: "error" },
  );
  const workDir = join(folder, "honest");
  mkdirSync(workDir);
  worker = await startExecutorProcess(
    executorEnv(nats.url, topology, {
      id: honest,
      workDir,
      DOCKET_LANGUAGES: "java",
      NATS_USER: honest,
      NATS_PASSWORD: password,
      DOCKET_SERVER_URL: server.url,
    }),
    { main: join(import.meta.dirname, "sleeper.ts") },
  );
  admin = await connectNats({ url: nats.url, user: "server", password }, "admin");
  jsm = await jetstreamManager(admin);
  client = await connectNats(
    { url: nats.url, user: hostile, password, inboxPrefix: inboxPrefixOf(hostile) },
    "hostile",
  );
  // It offers its language, as an honest one would.
  client.publish(
    subjects.presence(topology, hostile),
    encodeJson({
      executor: hostile,
      pool: "evil",
      languages: [{ id: "python", version: "0" }],
      notOffered: [],
      lanes: ["practice"],
      slots: 1,
      running: [],
      state: "ready",
      version: "0",
      startedAtMs: 0,
    }),
  );
  await client.flush();
});
afterAll(async () => {
  await client.close();
  await admin.close();
  worker.kill("SIGKILL");
  await worker.exited;
  server.kill("SIGTERM");
  await server.exited;
  await nats.child.stop(5_000);
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function submitted(language: LanguageId, more: Record<string, string> = {}): Promise<SubmissionId> {
  const key = more["lane"] === undefined ? KEY : JURY;
  const answer = await until("it is taken", async () => {
    const given = await submit(server.url, key, {
      problem: "sum",
      language,
      source: `print(${Math.random()})`,
      ...more,
    });
    return given.submission ? given : undefined;
  });
  return answer.submission?.id as SubmissionId;
}

interface Taken {
  readonly job: Job;
  readonly message: Msg;
  readonly delivery: number;
}

/** Pulls with its own right until the job of `submission` comes. */
async function take(submission: SubmissionId, withinMs = 15_000): Promise<Taken> {
  const next = `$JS.API.CONSUMER.MSG.NEXT.${streamOf(topology, "python")}.practice`;
  const pull = async (): Promise<Taken | undefined> => {
    const message = await client
      .request(next, '{"batch":1,"no_wait":true}', { timeout: 1_000, noMux: true })
      .catch(() => undefined);
    const job = message === undefined ? undefined : decodeJson(Job, message.data);
    if (message === undefined || job?.submission !== submission) return undefined;
    return { job, message, delivery: Number(message.reply?.split(".")[4]) };
  };
  return await until("the hostile executor has the job", pull, withinMs);
}

const event = ({ job, delivery }: Taken, more: object): object => ({
  v: 1,
  kind: job.kind,
  submission: job.submission,
  generation: job.generation,
  dispatch: job.dispatch,
  delivery,
  executor: hostile,
  seq: Date.now(),
  atMs: Date.now(),
  capability: job.capability,
  ...more,
});

const WRONG = {
  type: "finished",
  result: { testsTotal: 0, tests: [], verdict: "WA", cpuMs: 0, memoryKiB: 0 },
};

/** Publishes as its user may, and waits until the stream has it. */
const put = async (submission: string, payload: object | Uint8Array): Promise<void> => {
  const bytes = payload instanceof Uint8Array ? payload : encodeJson(payload);
  await jetstream(client).publish(subjects.event(topology, hostile, submission as SubmissionId), bytes);
};

/** Ends its own job, as it may, and takes the message away. */
async function end(held: Taken, more: object = {}): Promise<void> {
  await put(held.job.submission, event(held, { ...WRONG, ...more }));
  await client.request(held.message.reply ?? "", "+ACK", { timeout: 2_000 });
  await until("its own job has ended", async () => (await stateOf(held.job.submission)) === "FINISHED");
}

const read = async (): Promise<void> => {
  await until("the recorder has read all events", async () => {
    const { state } = await jsm.streams.info(eventStreamOf(topology));
    return state.messages === 0;
  });
};

const stateOf = async (id: SubmissionId): Promise<string | undefined> =>
  (await store.snapshots.get(id))?.judgement.state;

/** An honest executor's submission is judged, and the subscriber sees one final state. */
async function othersAreServed(): Promise<number> {
  const begun = performance.now();
  const id = await submitted("java");
  const seen: string[] = [];
  for await (const update of watchBySocket(server.url, KEY, id)) seen.push(update.state);
  expect(seen.filter((state) => state === "FINISHED")).toHaveLength(1);
  return performance.now() - begun;
}

const counted = async (outcome: string): Promise<number> => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  return Number(
    new RegExp(`docket_judge_events_total\\{outcome="${outcome}"\\} (\\d+)`).exec(text)?.[1] ?? 0,
  );
};

describe("a hostile executor with real credentials", () => {
  it("cannot speak for another submission, dispatch, generation or executor", async () => {
    const own = await submitted("python");
    const others = await submitted("python", { lane: "CONTEST" });
    const held = await take(own);
    const { capability } = held.job;
    const [claims = "", mac = ""] = capability.split(".");
    const otherClaims = Buffer.from(
      JSON.stringify({ submission: others, generation: 1, dispatch: 1, blobs: [] }),
    ).toString("base64url");
    const before = await counted("forged");
    const forgeries = [
      { to: others, event: event(held, { ...WRONG, submission: others }) },
      {
        to: others,
        event: event(held, { ...WRONG, submission: others, capability: `${otherClaims}.${mac}` }),
      },
      {
        to: others,
        event: event(held, {
          ...WRONG,
          submission: others,
          capability: issueCapability("a guess of the secret, long enough to be one", {
            submission: others,
            generation: 1,
            dispatch: 1,
            blobs: [],
          }),
        }),
      },
      { to: own, event: event(held, { ...WRONG, dispatch: 2 }) },
      { to: own, event: event(held, { ...WRONG, generation: 2 }) },
      { to: own, event: event(held, { ...WRONG, executor: honest }) },
      { to: own, event: event(held, { ...WRONG, capability: `${claims}.${mac.slice(0, -2)}AA` }) },
      { to: own, event: event(held, { ...WRONG, capability: claims }) },
      { to: own, event: event(held, { ...WRONG, delivery: 1_000_000 }) },
      { to: others, event: event(held, WRONG) },
    ];
    for (const { to, event: forged } of forgeries) await put(to, forged);
    await read();
    expect(await counted("forged")).toBe(before + forgeries.length);
    await until("neither has moved", async () => (await stateOf(own)) === "QUEUED");
    await until("neither has moved", async () => (await stateOf(others)) === "QUEUED");
    // Its own job it may end: that is what it was given.
    await end(held);
  });

  it("fetches no blob but those of its job", async () => {
    const own = await submitted("python");
    const stranger = await submitted("java", { problem: "other" });
    const held = await take(own);
    const ask = async (sha256: string, capability: string): Promise<number> =>
      (await fetch(`${server.url}/blobs/${sha256}`, { headers: bearer(capability) })).status;
    const mine = (await store.snapshots.get(own))?.submission;
    const theirs = (await store.snapshots.get(stranger))?.submission;
    if (mine === undefined || theirs === undefined) throw new Error("not stored");
    const { capability } = held.job;
    expect(await ask(mine.manifest, capability)).toBe(200);
    expect(await ask(mine.files[0]?.sha256 ?? "", capability)).toBe(200);
    expect(await ask(theirs.files[0]?.sha256 ?? "", capability)).toBe(403);
    expect(await ask(theirs.manifest, capability)).toBe(403);
    expect(await ask(theirs.manifest, `${capability.slice(0, -2)}AA`)).toBe(401);
    await end(held);
  });

  it("settles no job of another lane, publishes none, and reads no stream", async () => {
    const contest = await submitted("python", { lane: "CONTEST" });
    const place = { language: "python", lane: "contest", submission: contest } as const;
    const found = await until("its job is there", () => findJob({ jsm, topology }, place));
    const refused: string[] = [];
    void (async () => {
      for await (const status of client.status())
        if (status.type === "error") refused.push(status.error.message);
    })();
    const attempts: [string, string][] = [
      ...["+ACK", "+TERM", "-NAK"].map((word): [string, string] => [
        `$JS.ACK.${streamOf(topology, "python")}.contest.1.${found.seq}.1.${Date.now()}000000.0`,
        word,
      ]),
      [subjects.job(topology, "java", "contest", contest), "{}"],
      [`$JS.API.STREAM.MSG.GET.${eventStreamOf(topology)}`, '{"seq":1}'],
      [`$JS.API.STREAM.PURGE.${streamOf(topology, "python")}`, ""],
      [`$JS.API.CONSUMER.CREATE.${streamOf(topology, "python")}`, "{}"],
    ];
    for (const [subject, word] of attempts) client.publish(subject, word);
    await client.flush();
    await until("every attempt was refused", () => refused.length === attempts.length);
    expect(await findJob({ jsm, topology }, place)).toEqual(found);
    await until("it still waits", async () => (await stateOf(contest)) === "QUEUED");
  });

  it("that takes a job away without a word delays it and loses nothing", async () => {
    const id = await submitted("python");
    const held = await take(id);
    await client.request(held.message.reply ?? "", "+ACK", { timeout: 2_000 });
    const again = await take(id, 40_000);
    expect(again.job.dispatch).toBe(2);
    await end(again);
  }, 60_000);

  it("cannot stop the recorder by events that no database can hold", async () => {
    const id = await submitted("python");
    const held = await take(id);
    let deep: unknown = {};
    for (let i = 0; i < 500; i++) deep = { deep };
    const nested = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const text = JSON.stringify(event(held, { type: "progress", result: 0 }));
    const poison: (object | Uint8Array)[] = [
      event(held, { type: "progress", result: deep }),
      event(held, { type: "progress", result: { _bsontype: "ObjectId" } }),
      event(held, { type: "progress", result: { "a\0b": 1 } }),
      event(held, { type: "started", atMs: 2 ** 53 - 1 }),
      new TextEncoder().encode(text.replace('"result":0', `"result":${nested}`)),
      new TextEncoder().encode('{"__proto__":{"type":"finished"}}'),
      new Uint8Array(900_000).fill(0x5b),
    ];
    const before = await counted("malformed");
    for (const payload of poison) await put(id, payload);
    await read();
    expect(await counted("malformed")).toBe(before + poison.length);
    // Shapes that are stored and are no judge result show as nothing, for this submission alone.
    await put(
      id,
      event(held, { type: "progress", result: { testsTotal: 2 ** 40, tests: "none", $where: "1" } }),
    );
    await read();
    expect(await stateOf(id)).toBe("RUNNING");
    const shown = await fetch(`${server.url}/submissions/${id}`, { headers: bearer(KEY) });
    expect(await shown.json()).toMatchObject({ testsTotal: 0, tests: [] });
    await end(held);
  });

  it("sends no event larger than the stream takes", async () => {
    const id = await submitted("python");
    const held = await take(id);
    const huge = event(held, { ...WRONG, padding: "x".repeat(1_100_000) });
    await expect(put(id, huge)).rejects.toThrow(/exceeds/);
    expect(() => client.publish(subjects.event(topology, hostile, id), new Uint8Array(3_000_000))).toThrow(
      /max_payload size exceeded/,
    );
    await until("it still waits", async () => (await stateOf(id)) === "QUEUED");
    await end(held);
  });

  it("that floods delays others by moments and fills no memory", async () => {
    const id = await submitted("python");
    const held = await take(id);
    const rss = async (): Promise<number> => {
      const text = await (await fetch(`${server.url}/metrics`)).text();
      return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]) / 2 ** 20;
    };
    const calm = await othersAreServed();
    const before = await rss();
    // Valid ones of its own job, forged ones, and rubbish: 30,000 as fast as the connection takes them.
    let seq = Date.now();
    let tick = 0;
    const flood = (async () => {
      for (let i = 0; i < 10_000; i++) {
        client.publish(
          subjects.event(topology, hostile, id),
          encodeJson(event(held, { type: "progress", seq: ++seq, result: { testsTotal: i, tests: [] } })),
        );
        client.publish(
          subjects.event(topology, hostile, id),
          encodeJson(event(held, { ...WRONG, dispatch: 9 })),
        );
        client.publish(subjects.event(topology, hostile, "0".repeat(26) as SubmissionId), "{rubbish");
        if (++tick % 500 === 0) await client.flush();
      }
      await client.flush();
    })();
    const during = await othersAreServed();
    await flood;
    await read();
    await end(held, { seq: ++seq });
    expect(during).toBeLessThan(calm + 15_000);
    expect((await rss()) - before).toBeLessThan(200);
  }, 120_000);
});
