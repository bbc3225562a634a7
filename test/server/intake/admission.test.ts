import { describe, expect, it } from "vitest";
import type { SubmitOutcome } from "../../../src/server/intake/outcome.ts";
import { judgementId, newSubmissionId } from "../../../src/shared/ids.ts";
import { namespace } from "../../support/namespace.ts";
import { accepted, eventually, openPair, program, until } from "../rig.ts";

const ns = namespace();
const UNFINISHED = 10;

// A bucket that fills up too slowly to matter within a test.
const { server, other, wire } = await openPair(ns, {
  limits: { ownerUnfinished: UNFINISHED, ownerBurst: 40, ownerPerSecond: 1 },
});

const codeOf = (outcome: SubmitOutcome): string => (outcome.type === "refused" ? outcome.code : "ACCEPTED");

const submitMany = (count: number, owner: string, more: Parameters<typeof program>[0] = {}) =>
  Promise.all(
    Array.from({ length: count }, (_, i) =>
      (i % 2 === 0 ? server : other).backbone.submit(program({ owner, ...more })),
    ),
  );

const acceptedOf = (outcomes: readonly SubmitOutcome[]) =>
  outcomes.filter((outcome) => outcome.type === "accepted");

/** Judges one job of the practice lane. */
async function judgeOne(language: "python" | "go" | "rust" = "python"): Promise<void> {
  const executor = wire.executor("e1");
  const held = await executor.take(language);
  await executor.emit(held, 1, { type: "finished", result: { verdict: "AC" } });
  await executor.ack(held);
  await until(server, held.job.submission, ({ judgement }) => judgement.state === "FINISHED");
}

describe("unfinished submissions of one owner", () => {
  it("never pass the limit, with 200 at once over two servers; a finished one makes room for one", async () => {
    const outcomes = await submitMany(200, "many");
    expect(acceptedOf(outcomes)).toHaveLength(UNFINISHED);
    const refused = outcomes.find((outcome) => outcome.type === "refused");
    expect(refused).toMatchObject({ code: "TOO_MANY_UNFINISHED", limit: UNFINISHED });
    expect(refused?.type === "refused" && refused.retryAfterMs).toBeGreaterThan(0);
    const stored = await server.store.snapshots.page({ owner: "many", first: 100 });
    expect(stored).toHaveLength(UNFINISHED);

    for (let i = 0; i < 3; i++) await judgeOne();
    let more = 0;
    await eventually(
      async () => (more += acceptedOf(await submitMany(20, "many")).length),
      () => more >= 3,
    );
    expect(more).toBe(3);
  });

  it("cost a replay nothing, and never refuse it", async () => {
    const first = await accepted(server, { owner: "again", idempotencyKey: "k", source: "print(1)" });
    await submitMany(UNFINISHED - 1, "again");
    expect(codeOf(await server.backbone.submit(program({ owner: "again" })))).toBe("TOO_MANY_UNFINISHED");
    const replays = await submitMany(20, "again", { idempotencyKey: "k", source: "print(1)" });
    for (const replay of replays) {
      expect(replay).toMatchObject({
        type: "accepted",
        replayed: true,
        snapshot: { submission: { _id: first.submission._id } },
      });
    }
    const conflict = await server.backbone.submit(
      program({ owner: "again", idempotencyKey: "k", source: "print(2)" }),
    );
    expect(codeOf(conflict)).toBe("IDEMPOTENCY_CONFLICT");
  });

  it("do not bound the jury, nor other owners", async () => {
    await submitMany(UNFINISHED, "full");
    expect(acceptedOf(await submitMany(30, "full", { role: "jury" }))).toHaveLength(30);
    expect(acceptedOf(await submitMany(5, "empty"))).toHaveLength(5);
  });

  it("are counted from what is stored, so a crash leaves nothing behind", async () => {
    const owner = "crashed";
    const allowance = { perSecond: 1, burst: 40, unfinished: UNFINISHED };
    await accepted(server, { owner });
    // A server reserved nine and died: until they run out they may still come to be stored.
    const ids = Array.from({ length: 9 }, () => newSubmissionId(Date.now()));
    await server.store.admission.reserve({ of: { owner }, ids, allowance });
    expect(codeOf(await server.backbone.submit(program({ owner })))).toBe("TOO_MANY_UNFINISHED");
    // As if a minute had passed: the holds are gone and their number is still in the count.
    await server.store.admission.release({ of: { owner }, ids, back: false });
    let sum = 1;
    await eventually(
      async () => (sum += acceptedOf(await submitMany(5, owner)).length),
      () => sum >= UNFINISHED,
    );
    expect(sum).toBe(UNFINISHED);
  });

  it("are all found, however many requests were cut off between their two writes", async () => {
    const owner = "cut off";
    const { judgement } = await accepted(server, { owner });
    // What such a request leaves: a judgement without a submission. These stand before all others in the index.
    for (let i = 0; i < UNFINISHED + 1; i++) {
      const submission = newSubmissionId(Date.now());
      await server.store.judgements.insert({
        ...judgement,
        _id: judgementId(submission, 1),
        submission,
        state: "PENDING",
        dispatchAfter: new Date(Date.now() + 600_000),
        createdAt: new Date(0),
      });
    }
    await submitMany(UNFINISHED - 1, owner);
    // A reservation that is given back in between makes a count begin anew.
    await eventually(
      () => server.store.admission.recount(owner, UNFINISHED),
      (counted) => counted,
    );
    expect(codeOf(await server.backbone.submit(program({ owner })))).toBe("TOO_MANY_UNFINISHED");
  });
});

describe("the rate of one owner", () => {
  it("is a burst and then so many a second, over both servers", async () => {
    // The jury's executor keeps up, so only the rate is in the way.
    const owner = "fast";
    let sent = 0;
    for (let round = 0; round < 4; round++) {
      const outcomes = await submitMany(UNFINISHED, owner, { language: "go" });
      sent += acceptedOf(outcomes).length;
      for (let i = 0; i < acceptedOf(outcomes).length; i++) await judgeOne("go");
      await server.store.admission.recount(owner, UNFINISHED);
    }
    expect(sent).toBeGreaterThanOrEqual(36);
    const outcomes = await eventually(
      () => submitMany(UNFINISHED, owner, { language: "go" }),
      (all) => all.some((outcome) => outcome.type === "refused"),
    );
    const refused = outcomes.find((outcome) => outcome.type === "refused");
    expect(refused).toMatchObject({ code: "RATE_LIMITED", limit: 40 });
    const retryAfterMs = refused?.type === "refused" ? (refused.retryAfterMs ?? 0) : 0;
    expect(retryAfterMs).toBeGreaterThan(0);
    expect(retryAfterMs).toBeLessThanOrEqual(1_000);
  });
});
