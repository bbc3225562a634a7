import { describe, expect, it } from "vitest";
import { findJob } from "../../../src/server/broker/jobs.ts";
import { issueCapability } from "../../../src/shared/capability.ts";
import type { SubmissionId } from "../../../src/shared/ids.ts";
import { decodeJson, encodeJson } from "../../../src/shared/nats.ts";
import { Control, type Fault, FenceAnswer } from "../../../src/shared/protocol.ts";
import { subjects } from "../../../src/shared/topology.ts";
import { namespace } from "../../support/namespace.ts";
import { accepted, eventually, type Held, openSuite, SECRET, until, withoutDelivery } from "../rig.ts";

const ns = namespace();

const { server, wire } = await openSuite(ns);

const RESULT = { verdict: "AC", tests: [] };
const fault = (more: Partial<Fault> = {}) => ({
  type: "fault" as const,
  fault: { code: "INTERNAL" as const, message: "broken", retry: true, shared: false, ...more },
});

const stored = async (id: SubmissionId) => (await server.store.snapshots.get(id))?.judgement;
const counted = async (outcome: string): Promise<number> => {
  const metric = await server.registry.getSingleMetric("docket_judge_events_total")?.get();
  return metric?.values.find((value) => value.labels["outcome"] === outcome)?.value ?? 0;
};
const jobThere = async (id: SubmissionId) =>
  await findJob(
    { jsm: wire.jsm, topology: ns.topology },
    { language: "python", lane: "practice", submission: id },
  );

/** A new submission, held by an executor. */
async function held(executor = "e1"): Promise<{ id: SubmissionId; job: Held }> {
  const { submission } = await accepted(server);
  return { id: submission._id, job: await wire.executor(executor).take() };
}

describe("repeated and late events", () => {
  it("change nothing", async () => {
    const { id, job } = await held();
    const e1 = wire.executor("e1");
    await e1.emit(job, 1, { type: "started" });
    await e1.emit(job, 2, { type: "finished", result: RESULT });
    await e1.ack(job);
    const final = await until(server, id, (snapshot) => snapshot.judgement.state === "FINISHED");
    const stale = await counted("stale");
    // Under new message ids, as after the broker forgot them.
    const event = subjects.event(ns.topology, e1.id, id);
    for (const [seq, body] of [
      [1, { type: "started" }],
      [2, { type: "finished", result: { verdict: "WA" } }],
      [3, fault()],
    ] as const) {
      const { capability, submission, generation, dispatch, kind } = job.job;
      const base = {
        v: 1,
        kind,
        submission,
        generation,
        dispatch,
        delivery: 1,
        executor: e1.id,
        seq,
        atMs: 1,
        capability,
      };
      await wire.js.publish(event, encodeJson({ ...base, ...body }));
    }
    await eventually(
      () => counted("stale"),
      (count) => count === stale + 3,
    );
    const after = await stored(id);
    expect(after && withoutDelivery(after)).toEqual(withoutDelivery(final.judgement));
  });

  it("of a replaced holder lose against the newest holder's word", async () => {
    const { id, job: first } = await held();
    const [e1, e2] = [wire.executor("e1"), wire.executor("e2")];
    await e1.emit(first, 1, { type: "started" });
    await e1.nak(first);
    const second = await e2.take();
    expect(second.delivery).toBe(2);
    await e2.emit(second, 1, { type: "started" });
    await until(server, id, (snapshot) => snapshot.judgement.delivery === 2);
    await e1.emit(first, 2, { type: "finished", result: { verdict: "WA" } });
    await e2.emit(second, 2, { type: "finished", result: RESULT });
    const final = await until(server, id, (snapshot) => snapshot.judgement.state === "FINISHED");
    expect(final.judgement.result).toEqual(RESULT);
    expect(final.judgement.tries.map((one) => [one.executor, one.delivery])).toEqual([
      ["e1", 1],
      ["e2", 2],
    ]);
  });

  it("in one burst are one or few writes, in order", async () => {
    const { id, job } = await held();
    const e1 = wire.executor("e1");
    await Promise.all([
      e1.emit(job, 1, { type: "started" }),
      ...Array.from({ length: 50 }, (_, i) =>
        e1.emit(job, i + 2, { type: "progress", result: { tests: i } }),
      ),
    ]);
    const last = await until(server, id, (snapshot) => snapshot.judgement.seq === 51);
    expect(last.judgement.result).toEqual({ tests: 49 });
    await e1.emit(job, 60, { type: "finished", result: RESULT });
    await e1.ack(job);
    await until(server, id, (snapshot) => snapshot.judgement.state === "FINISHED");
  });
});

describe("events that are not what they say", () => {
  it("are dropped and counted, and do not block the stream", async () => {
    const { id, job } = await held();
    const e1 = wire.executor("e1");
    const before = { malformed: await counted("malformed"), forged: await counted("forged") };
    const { submission, kind } = job.job;
    const base = {
      v: 1,
      kind,
      submission,
      generation: 1,
      dispatch: 1,
      delivery: 1,
      executor: "e1",
      seq: 9,
      atMs: 1,
    };
    const finished = { ...base, type: "finished", result: { verdict: "AC" } };
    const subject = subjects.event(ns.topology, e1.id, id);
    const claims = { submission, generation: 1, dispatch: 1, blobs: [] };
    const bad: [string, Uint8Array][] = [
      [subject, new TextEncoder().encode("{")],
      [subject, encodeJson({ ...finished, seq: "x" })],
      [subject, encodeJson({ ...finished, capability: issueCapability("another secret", claims) })],
      [subject, encodeJson({ ...finished, capability: issueCapability(SECRET, { ...claims, dispatch: 2 }) })],
      [subject, encodeJson({ ...finished, delivery: 1_000_000, capability: job.job.capability })],
      // Another executor's name.
      [subject, encodeJson({ ...finished, executor: "e2", capability: job.job.capability })],
      // Another submission's event with this capability.
      [
        subjects.event(ns.topology, e1.id, "0".repeat(26) as SubmissionId),
        encodeJson({ ...finished, submission: "0".repeat(26), capability: job.job.capability }),
      ],
    ];
    for (const [to, data] of bad) await wire.js.publish(to, data);
    await eventually(
      async () => ({ malformed: await counted("malformed"), forged: await counted("forged") }),
      (now) => now.malformed === before.malformed + 2 && now.forged === before.forged + 5,
    );
    expect((await stored(id))?.state).not.toBe("FINISHED");
    await e1.emit(job, 1, { type: "finished", result: RESULT });
    await e1.ack(job);
    await until(server, id, (snapshot) => snapshot.judgement.state === "FINISHED");
  });
});

describe("an event that the database refuses", () => {
  it("blocks neither the stream nor its own judgement", async () => {
    const { id, job } = await held();
    const e1 = wire.executor("e1");
    // Deeper than BSON may be.
    let result: unknown = 1;
    for (let i = 0; i < 300; i++) result = { result };
    await e1.emit(job, 1, { type: "progress", result });
    const other = await held();
    await e1.emit(other.job, 1, { type: "finished", result: RESULT });
    await e1.ack(other.job);
    await until(server, other.id, (snapshot) => snapshot.judgement.state === "FINISHED");
    await e1.emit(job, 2, { type: "finished", result: RESULT });
    await e1.ack(job);
    await until(server, id, (snapshot) => snapshot.judgement.state === "FINISHED");
  });
});

describe("faults", () => {
  it("are tried again, and make a dead letter at the fifth", async () => {
    const { id, job: first } = await held();
    let job = first;
    for (let i = 1; i <= 5; i++) {
      const executor = wire.executor(`e${i}`);
      await executor.emit(job, 1, { type: "started" });
      await executor.emit(job, 2, fault({ message: `no ${i}`, log: "last words" }));
      if (i === 5) break;
      await until(server, id, ({ judgement }) => judgement.state === "QUEUED" && judgement.delivery === i);
      await executor.nak(job);
      job = await executor.take();
      expect(job.delivery).toBe(i + 1);
    }
    const { judgement } = await until(server, id, (snapshot) => snapshot.judgement.state === "FAILED");
    expect(judgement.deadLetter).toMatchObject({ code: "INTERNAL", reason: expect.stringContaining("no 5") });
    expect(judgement.tries).toHaveLength(5);
    expect(judgement.tries[0]).toMatchObject({
      executor: "e1",
      end: { code: "INTERNAL", log: "last words" },
    });
    expect(judgement.result).toBeUndefined();
    await eventually(
      () => jobThere(id),
      (found) => found === undefined,
    );
  });

  it("of shared parts, and draining, burn no tries", async () => {
    const { id, job: first } = await held();
    let job = first;
    const e1 = wire.executor("e1");
    for (let i = 1; i <= 8; i++) {
      await e1.emit(job, 1, { type: "started" });
      await e1.emit(
        job,
        2,
        i % 2 === 0 ? { type: "released" } : fault({ code: "BLOB_UNAVAILABLE", shared: true }),
      );
      await until(server, id, ({ judgement }) => judgement.state === "QUEUED" && judgement.delivery === i);
      await e1.nak(job);
      job = await e1.take();
    }
    await e1.emit(job, 1, { type: "finished", result: RESULT });
    await e1.ack(job);
    await until(server, id, (snapshot) => snapshot.judgement.state === "FINISHED");
  });

  it("that no other try can help fail at once", async () => {
    const { id, job } = await held();
    await wire.executor("e1").emit(job, 1, fault({ code: "VALIDATOR_FAILED", retry: false }));
    const { judgement } = await until(server, id, (snapshot) => snapshot.judgement.state === "FAILED");
    expect(judgement.deadLetter?.code).toBe("VALIDATOR_FAILED");
    await eventually(
      () => jobThere(id),
      (found) => found === undefined,
    );
  });

  it("count holders that started and never ended, and stop the one that came after", async () => {
    const { id, job: first } = await held();
    let job = first;
    const controls = wire.connection.subscribe(subjects.control(ns.topology, wire.executor("e9").id));
    for (let i = 1; i <= 5; i++) {
      await wire.executor(`e${i}`).emit(job, 1, { type: "started" });
      await wire.executor(`e${i}`).nak(job);
      job = await wire.executor("e9").take();
    }
    await wire.executor("e9").emit(job, 1, { type: "started" });
    const { judgement } = await until(server, id, (snapshot) => snapshot.judgement.state === "FAILED");
    expect(judgement.deadLetter?.code).toBe("TRIES_EXHAUSTED");
    for await (const message of controls) {
      expect(decodeJson(Control, message.data)).toEqual({ type: "cancel", submission: id, generation: 1 });
      break;
    }
  });
});

describe("cancelling", () => {
  it("removes a waiting job", async () => {
    const { submission } = await accepted(server, { language: "go" });
    const outcome = await server.backbone.cancel(submission._id);
    expect(outcome).toMatchObject({ type: "cancelled", snapshot: { judgement: { state: "CANCELLED" } } });
    expect(await wire.executor("e1").pull("go")).toBeUndefined();
    expect(await server.backbone.cancel(submission._id)).toMatchObject({ type: "final" });
    expect(await server.backbone.cancel("0".repeat(26) as SubmissionId)).toEqual({ type: "unknown" });
  });

  it("tells the holder, whose later word is void", async () => {
    const { id, job } = await held("e7");
    const e7 = wire.executor("e7");
    const controls = wire.connection.subscribe(subjects.control(ns.topology, e7.id));
    await e7.emit(job, 1, { type: "started" });
    await until(server, id, (snapshot) => snapshot.judgement.state === "RUNNING");
    await server.backbone.cancel(id);
    for await (const message of controls) {
      expect(decodeJson(Control, message.data)).toEqual({ type: "cancel", submission: id, generation: 1 });
      break;
    }
    const stale = await counted("stale");
    await e7.emit(job, 2, { type: "finished", result: RESULT });
    await eventually(
      () => counted("stale"),
      (count) => count > stale,
    );
    expect((await stored(id))?.state).toBe("CANCELLED");
  });
});

describe("the fence check", () => {
  const ask = async (id: SubmissionId, delivery: number, dispatch = 1) => {
    const question = encodeJson([{ submission: id, generation: 1, dispatch, delivery }]);
    const answer = await wire.connection.request(subjects.fenceCheck(ns.topology), question, {
      timeout: 2_000,
    });
    return decodeJson(FenceAnswer, answer.data)?.current[0];
  };

  it("says who may run", async () => {
    const { id, job } = await held();
    const e1 = wire.executor("e1");
    expect(await ask(id, 1)).toBe(true);
    await e1.emit(job, 1, { type: "started" });
    await e1.nak(job);
    const second = await e1.take();
    await e1.emit(second, 1, { type: "started" });
    await until(server, id, (snapshot) => snapshot.judgement.delivery === 2);
    expect(await ask(id, 1)).toBe(false);
    expect(await ask(id, 2)).toBe(true);
    expect(await ask(id, 1, 2)).toBe(true);
    await e1.emit(second, 2, { type: "finished", result: RESULT });
    await e1.ack(second);
    await until(server, id, (snapshot) => snapshot.judgement.state === "FINISHED");
    expect(await ask(id, 3)).toBe(false);
    expect(await ask("0".repeat(26) as SubmissionId, 1)).toBe(false);
  });
});
