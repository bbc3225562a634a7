import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ExecutorId, newSubmissionId } from "../../src/shared/ids.ts";
import { connectNats } from "../../src/shared/nats.ts";
import {
  eventStreamConfig,
  jobStreamConfig,
  laneConsumerConfig,
  streamOf,
  subjects,
  type Topology,
} from "../../src/shared/topology.ts";
import { type NatsServer, startNatsServer } from "../../src/supervisor/natsserver.ts";
import { authorizationConf, executorAllowance, inboxPrefixOf } from "../../src/supervisor/natsusers.ts";
import { startWatchdog } from "../../src/supervisor/watchdog.ts";
import { binaryPath } from "../support/binaries.ts";

/** A broker with the generated users, and an executor's user in hostile hands. */
const topology: Topology = { prefix: "p_", replicas: 1 };
const hostile = ExecutorId.parse("hostile");
const other = ExecutorId.parse("other");
const submission = newSubmissionId(0);
const password = "a-password-of-the-test";
let folder: string;
let server: NatsServer;
let admin: NatsConnection;
let client: NatsConnection;
let refused: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "docket-users-"));
  const plans = [
    { id: hostile, languages: ["python"], lanes: ["practice"] },
    { id: other, languages: ["python", "java"], lanes: ["contest", "practice"] },
  ] as const;
  server = await startNatsServer(
    { watchdog: startWatchdog() },
    {
      binary: binaryPath("nats-server"),
      folder,
      user: { name: "server", password },
      authorization: authorizationConf([
        { name: "server", password },
        ...plans.map((plan) => ({ name: plan.id, password, allow: executorAllowance(topology, plan) })),
      ]),
    },
  );
  admin = await connectNats({ url: server.url, user: "server", password }, "server");
  client = await connectNats(
    { url: server.url, user: hostile, password, inboxPrefix: inboxPrefixOf(hostile) },
    "hostile",
  );
  void watchRefusals(client);
  const manager = await jetstreamManager(admin);
  await manager.streams.add(eventStreamConfig(topology));
  for (const language of ["python", "java"] as const) {
    await manager.streams.add(jobStreamConfig(topology, language));
    for (const lane of ["contest", "practice"] as const) {
      await manager.consumers.add(streamOf(topology, language), laneConsumerConfig(topology, language, lane));
    }
  }
});

afterAll(async () => {
  await client.close();
  await admin.close();
  await server.child.stop(5_000);
  await rm(folder, { recursive: true, force: true });
});

async function watchRefusals(connection: NatsConnection): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === "error") refused.push(status.error.message);
  }
}

/** What the broker refused of all that `act` did. */
async function refusalsOf(act: () => unknown): Promise<string[]> {
  refused = [];
  await act();
  // Refusals come back before the answer to a ping that was sent after them.
  await client.flush();
  // The status iterator hands them on in a later turn.
  await new Promise(setImmediate);
  return refused;
}

async function pull(connection: NatsConnection, language: "python" | "java", lane: "contest" | "practice") {
  return await connection.request(
    `$JS.API.CONSUMER.MSG.NEXT.${streamOf(topology, language)}.${lane}`,
    JSON.stringify({ batch: 1, no_wait: true }),
    { timeout: 500, noMux: true },
  );
}

const publishJob = async (language: "python" | "java", lane: "contest" | "practice"): Promise<void> => {
  await admin.request(subjects.job(topology, language, lane, submission), "job", { timeout: 2_000 });
};

describe("an executor's user may do its work", () => {
  test("pull a job of its lane, heartbeat it, and settle it with a confirmation", async () => {
    await publishJob("python", "practice");
    const job = await pull(client, "python", "practice");
    expect(job.string()).toBe("job");
    const reply = job.reply ?? "";
    await client.request(reply, "+WPI", { timeout: 1_000 });
    await client.request(reply, "+ACK", { timeout: 1_000 });
    const manager = await jetstreamManager(admin);
    expect((await manager.streams.info(streamOf(topology, "python"))).state.messages).toBe(0);
  });

  test("publish its own events with an acknowledgement, its presence, and ask for its fence", async () => {
    const answering = admin.subscribe(subjects.fenceCheck(topology), {
      callback: (_, message) => void message.respond("yes"),
    });
    await admin.flush();
    const ack = await client.request(subjects.event(topology, hostile, submission), "{}", { timeout: 1_000 });
    expect(JSON.parse(ack.string())).toMatchObject({ stream: "p_JUDGE_EVENTS" });
    const fence = await client.request(subjects.fenceCheck(topology), "{}", { timeout: 1_000 });
    expect(fence.string()).toBe("yes");
    answering.unsubscribe();
    const refusals = await refusalsOf(() => client.publish(subjects.presence(topology, hostile), "{}"));
    expect(refusals).toEqual([]);
  });

  test("hear hints of its lane and control messages for itself", async () => {
    const refusals = await refusalsOf(() => {
      client.subscribe(subjects.hint(topology, "python", "practice")).unsubscribe(1);
      client.subscribe(subjects.control(topology, hostile)).unsubscribe(1);
    });
    expect(refusals).toEqual([]);
  });
});

describe("an executor's user may do nothing else", () => {
  test.each([
    ["a job", () => subjects.job(topology, "python", "practice", submission)],
    ["another executor's event", () => subjects.event(topology, other, submission)],
    ["another executor's presence", () => subjects.presence(topology, other)],
    ["an update", () => subjects.update(topology, submission)],
    ["a control message", () => subjects.control(topology, other)],
    ["an ack of another lane", () => `$JS.ACK.${streamOf(topology, "python")}.contest.1.1.1.1.0`],
    ["an ack of another language", () => `$JS.ACK.${streamOf(topology, "java")}.practice.1.1.1.1.0`],
    ["an ack of the recorder", () => "$JS.ACK.p_JUDGE_EVENTS.recorder.1.1.1.1.0"],
    ["a pull of another lane", () => `$JS.API.CONSUMER.MSG.NEXT.${streamOf(topology, "python")}.contest`],
    ["a pull of another language", () => `$JS.API.CONSUMER.MSG.NEXT.${streamOf(topology, "java")}.practice`],
    ["a pull of events", () => "$JS.API.CONSUMER.MSG.NEXT.p_JUDGE_EVENTS.recorder"],
    ["a read of a stored job", () => `$JS.API.STREAM.MSG.GET.${streamOf(topology, "python")}`],
    ["a direct read of a stored job", () => `$JS.API.DIRECT.GET.${streamOf(topology, "python")}`],
    ["a purge", () => `$JS.API.STREAM.PURGE.${streamOf(topology, "python")}`],
    ["a deletion of a stream", () => "$JS.API.STREAM.DELETE.p_JUDGE_EVENTS"],
    ["a new consumer", () => `$JS.API.CONSUMER.CREATE.${streamOf(topology, "python")}`],
    ["a reply into another inbox", () => `${inboxPrefixOf(other)}.1`],
    ["a system request", () => "$SYS.REQ.SERVER.PING"],
  ])("%s is refused", async (_, subject) => {
    const refusals = await refusalsOf(() => client.publish(subject(), "x"));
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toMatch(/permissions violation.*publish/i);
  });

  test.each([
    ["everything", () => ">"],
    ["all events", () => subjects.allEvents(topology)],
    ["all jobs", () => subjects.jobsOfLanguage(topology, "python")],
    ["hints of another lane", () => subjects.hint(topology, "python", "contest")],
    ["another executor's control", () => subjects.control(topology, other)],
    ["another executor's inbox", () => `${inboxPrefixOf(other)}.>`],
    ["the server's inbox", () => "_INBOX.>"],
    ["updates", () => subjects.allUpdates(topology)],
  ])("listening to %s is refused", async (_, subject) => {
    const subscription = client.subscribe(subject(), { callback: () => {} });
    const refusals = await refusalsOf(() => {});
    expect(refusals).toHaveLength(1);
    expect(refusals[0]).toMatch(/permissions violation.*subscription/i);
    expect(subscription.isClosed()).toBe(true);
  });

  test("a refused ack leaves the other lane's job alone", async () => {
    await publishJob("python", "contest");
    const job = await pull(admin, "python", "contest");
    await refusalsOf(() => client.publish(job.reply ?? "", "+ACK"));
    const manager = await jetstreamManager(admin);
    const info = await manager.consumers.info(streamOf(topology, "python"), "contest");
    expect(info.num_ack_pending).toBe(1);
    await admin.request(job.reply ?? "", "+ACK", { timeout: 1_000 });
  });

  test("a wrong password is refused", async () => {
    const wrong = connectNats({ url: server.url, user: hostile, password: "guess" }, "wrong", {
      reconnect: false,
    });
    await expect(wrong).rejects.toThrow(/authorization violation/i);
  });
});
