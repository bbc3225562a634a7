import { describe, expect, it } from "vitest";
import { revisionOf } from "../../../src/server/store/documents.ts";
import { judgementId, type ProblemId, type RejudgeId, type SubmissionId } from "../../../src/shared/ids.ts";
import { decodeJson } from "../../../src/shared/nats.ts";
import { Control } from "../../../src/shared/protocol.ts";
import { subjects } from "../../../src/shared/topology.ts";
import { namespace } from "../../support/namespace.ts";
import { accepted, eventually, openSuite, PROBLEM, startServer, withoutDelivery } from "../rig.ts";
import { createStage } from "./stage.ts";

const ns = namespace();
const stage = createStage(
  () => server,
  () => wire,
);

const { server, wire } = await openSuite(ns);

const snapshot = async (id: SubmissionId) => {
  const found = await server.store.snapshots.get(id);
  if (found === undefined) throw new Error(`no submission ${id}`);
  return found;
};
const verdict = async (id: SubmissionId): Promise<unknown> => (await snapshot(id)).judgement.result;

describe("a rejudge", () => {
  it("judges what fits by the problem's newest version, and changes nothing before it is applied", async () => {
    const mine = { owner: "ann" };
    const wrong = await stage.judged("WA", mine);
    const right = await stage.judged("AC", mine);
    await stage.judged("WA", { owner: "bob" });
    const waiting = await accepted(server, mine);
    const problem = await server.store.problems.get(PROBLEM);
    if (!problem) throw new Error("no problem");
    const manifest = await server.store.blobs.put(new TextEncoder().encode('{"mended":true}'));
    await server.store.problems.put({ ...problem, manifest });

    const id = await stage.create({ owner: "ann", problem: PROBLEM });
    const jobs = await stage.judgeAll(2, "AC");
    for (const { job } of jobs) {
      expect(job).toMatchObject({ generation: 2, lane: "rejudge", payload: { manifest } });
    }
    const ready = await stage.state(id, "READY");
    expect(ready).toMatchObject({ selected: 2, skipped: { unfinished: 1, cancelled: 0, busy: 0 } });
    expect(new Map(await server.store.rejudged.counts(id))).toEqual(new Map([["FINISHED", 2]]));

    // The old verdicts stand.
    expect(await verdict(wrong.submission._id)).toMatchObject({ verdict: "WA" });
    expect((await snapshot(wrong.submission._id)).submission.manifest).toBe(wrong.submission.manifest);
    expect(await server.store.rejudged.changes(id)).toEqual([
      { from: "AC", to: "AC", count: 1 },
      { from: "WA", to: "AC", count: 1 },
    ]);
    const changed = await server.store.rejudged.page({ id, changedOnly: true, first: 10 });
    expect(changed.map((one) => one.submission)).toEqual([wrong.submission._id]);
    expect(await server.store.rejudged.page({ id, changedOnly: false, first: 10 })).toHaveLength(2);

    const outcome = await server.backbone.applyRejudge({ id, by: "head of jury" });
    expect(outcome).toMatchObject({
      type: "done",
      rejudge: { state: "APPLIED", apply: { by: "head of jury", moved: 2, superseded: 0, kept: 0 } },
    });
    for (const before of [wrong, right]) {
      const now = await snapshot(before.submission._id);
      expect(now.submission).toMatchObject({ generation: 2, manifest });
      expect(now.submission.rejudge).toBeUndefined();
      expect(now.judgement.result).toMatchObject({ verdict: "AC" });
      expect(revisionOf(now.judgement)).toBeGreaterThan(revisionOf(before.judgement));
      // History: the old judgement is as it was; when a subscriber was shown it may be noted after its end.
      const old = await server.store.judgements.get(judgementId(now.submission._id, 1));
      expect(old && withoutDelivery(old)).toEqual(withoutDelivery(before.judgement));
    }
    // Whoever had seen the old final state gets the new one, once.
    const seen = [];
    for await (const update of server.backbone.feed.watch(wrong.submission._id, revisionOf(wrong.judgement)))
      seen.push(update.judgement.generation);
    expect(seen).toEqual([2]);
    // Again: nothing more happens.
    const again = await server.backbone.applyRejudge({ id, by: "somebody else" });
    expect(again).toEqual(outcome);
    expect(await server.backbone.cancelRejudge({ id, by: "jury" })).toMatchObject({ type: "closed" });
    await server.store.problems.put(problem);
    await stage.judgeAll(1, "AC", "practice");
    expect((await snapshot(waiting.submission._id)).submission.generation).toBe(1);
  });

  it("goes by verdict, by time, by id; what fits nothing or is too much is refused", async () => {
    const start = new Date();
    const first = await stage.judged("TLE", { owner: "cat" });
    const second = await stage.judged("WA", { owner: "cat" });
    const byVerdict = await stage.create({ owner: "cat", verdict: "TLE" });
    await stage.judgeAll(1, "AC");
    await stage.state(byVerdict, "READY");
    await server.backbone.applyRejudge({ id: byVerdict, by: "jury" });
    expect(await verdict(first.submission._id)).toMatchObject({ verdict: "AC" });
    // It has another verdict now.
    await expect(stage.create({ owner: "cat", verdict: "TLE", since: new Date() })).rejects.toThrow(
      "No submission fits",
    );
    await expect(stage.create({ problem: "nothing" as ProblemId })).rejects.toThrow("no problem nothing");
    await expect(stage.create({ ids: ["0".repeat(26) as SubmissionId] })).rejects.toThrow("no submission 0");
    const byTime = await stage.create({ owner: "cat", since: start, before: second.submission.createdAt });
    await stage.judgeAll(1, "WA");
    expect(await stage.state(byTime, "READY")).toMatchObject({ selected: 1 });
    const byId = await stage.create({ ids: [second.submission._id] });
    await stage.judgeAll(1, "AC");
    expect(await stage.state(byId, "READY")).toMatchObject({ selected: 1 });
    const narrow = await startServer({ ...ns, instance: "narrow", limits: { rejudgeSubmissions: 1 } });
    const wide = await narrow.backbone.createRejudge({
      by: "jury",
      reason: "all",
      filter: { owner: "cat" },
      priority: "LOW",
      autoApply: false,
    });
    expect(wide).toMatchObject({ type: "refused", code: "INPUT_INVALID" });
    await narrow.stop();
    for (const id of [byTime, byId]) await server.backbone.cancelRejudge({ id, by: "jury" });
  });

  it("applies itself when it was told to; with priority it takes a higher lane", async () => {
    const before = await stage.judged("WA", { owner: "dan" });
    const id = await stage.create({ owner: "dan" }, { autoApply: true, priority: "HIGH" });
    await stage.judgeAll(1, "AC", "contest");
    expect(await stage.state(id, "APPLIED")).toMatchObject({ apply: { by: "jury", moved: 1 } });
    expect(await verdict(before.submission._id)).toMatchObject({ verdict: "AC" });
  });

  it("leaves out what is part of another one, until that is closed", async () => {
    await stage.judged("WA", { owner: "eve" });
    const one = await stage.create({ owner: "eve" });
    await stage.judgeAll(1, "AC");
    await stage.state(one, "READY");
    const two = await stage.create({ owner: "eve" });
    expect(await stage.state(two, "READY")).toMatchObject({ selected: 0, skipped: { busy: 1 } });
    await server.backbone.cancelRejudge({ id: one, by: "jury" });
    await stage.state(one, "CANCELLED");
    const three = await stage.create({ owner: "eve" });
    expect((await stage.judgeAll(1, "AC"))[0]?.job.generation).toBe(3);
    await stage.state(three, "READY");
    await server.backbone.applyRejudge({ id: three, by: "jury" });
    // Not of a closed one.
    expect(await server.backbone.applyRejudge({ id: one, by: "jury" })).toMatchObject({ type: "closed" });
    await server.backbone.cancelRejudge({ id: two, by: "jury" });
  });

  it("is not applied before all is judged, and can be cancelled: what runs is stopped, the old verdict stands", async () => {
    const before = await stage.judged("WA", { owner: "fay" });
    await stage.judged("WA", { owner: "fay" });
    const id = await stage.create({ owner: "fay" });
    const running = await wire.executor("e1").take("python", "rejudge");
    await wire.executor("e1").emit(running, 1, { type: "started" });
    const mark = judgementId(running.job.submission, 2);
    await eventually(
      () => server.store.judgements.get(mark),
      (judgement) => judgement?.state === "RUNNING",
    );
    expect(await server.backbone.applyRejudge({ id, by: "jury" })).toMatchObject({ type: "not-ready" });
    const told = wire.connection.subscribe(subjects.control(ns.topology, wire.executor("e1").id), { max: 1 });
    expect(await server.backbone.cancelRejudge({ id, by: "jury" })).toMatchObject({ type: "done" });
    for await (const message of told) {
      expect(decodeJson(Control, message.data)).toEqual({
        type: "cancel",
        submission: running.job.submission,
        generation: 2,
      });
    }
    await stage.state(id, "CANCELLED");
    expect(new Map(await server.store.rejudged.counts(id))).toEqual(new Map([["CANCELLED", 2]]));
    // A late word of its holder changes nothing.
    await stage.end(running, "AC");
    expect(await wire.executor("e1").pull("python", "rejudge")).toBeUndefined();
    const now = await snapshot(before.submission._id);
    expect(now.submission).toEqual(before.submission);
    expect(withoutDelivery(now.judgement)).toEqual(withoutDelivery(before.judgement));
  });

  it("and a redrive of the same dead letter: the newer judging counts, one of each is made", async () => {
    const id = (await stage.dead({ owner: "gus" })).submission._id;
    const rejudge = await stage.create({ owner: "gus" });
    const held = await wire.executor("e1").take("python", "rejudge");
    expect(held.job).toMatchObject({ submission: id, generation: 2 });
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, () => server.backbone.redrive({ submission: id, by: "jury" })),
    );
    expect(outcomes.filter(({ type }) => type === "redriven").length).toBeGreaterThan(0);
    expect((await snapshot(id)).submission.generation).toBe(3);
    await stage.end(held, "WA");
    await stage.state(rejudge, "READY");
    const [redriven] = await stage.judgeAll(1, "AC", "practice");
    expect(redriven?.job).toMatchObject({ submission: id, generation: 3 });
    expect(await server.backbone.applyRejudge({ id: rejudge, by: "jury" })).toMatchObject({
      rejudge: { apply: { moved: 0, superseded: 1, kept: 0 } },
    });
    expect((await snapshot(id)).judgement).toMatchObject({ generation: 3, result: { verdict: "AC" } });
    expect(await server.store.judgements.get(judgementId(id, 4))).toBeUndefined();
  });

  it("that is applied settles dead letters; one that it cannot judge either stays what it was", async () => {
    const mended = (await stage.dead({ owner: "hal" })).submission._id;
    const broken = (await stage.dead({ owner: "hal" })).submission._id;
    const id = await stage.create({ owner: "hal" });
    for (let i = 0; i < 2; i++) {
      const held = await wire.executor("e1").take("python", "rejudge");
      if (held.job.submission === mended) await stage.end(held, "AC");
      else {
        const fault = { code: "INTERNAL" as const, message: "no use", retry: false, shared: false };
        await wire.executor("e1").emit(held, 1, { type: "fault", fault });
        await wire.executor("e1").ack(held);
      }
    }
    await stage.state(id, "READY");
    await server.backbone.applyRejudge({ id, by: "jury" });
    expect((await server.store.rejudges.get(id))?.apply).toMatchObject({ moved: 1, superseded: 0, kept: 1 });
    expect((await server.store.judgements.get(judgementId(mended, 1)))?.deadLetter).toMatchObject({
      redrive: { by: "jury", generation: 2 },
    });
    const listed = await server.store.deadLetters.page({ first: 100 });
    const ids = listed.map((one) => one.submission._id);
    expect(ids).toContain(broken);
    expect(ids).not.toContain(mended);
    expect((await server.store.deadLetters.counts()).get("INTERNAL")).toBe(ids.length);
    expect((await server.backbone.redrive({ submission: broken, by: "jury" })).type).toBe("redriven");
    expect((await stage.judgeAll(1, "AC", "practice"))[0]?.job.generation).toBe(3);
  });

  it("unknown is told apart", async () => {
    const id = `rejudge-${"0".repeat(26)}` as RejudgeId;
    expect(await server.backbone.applyRejudge({ id, by: "jury" })).toEqual({ type: "unknown" });
    expect(await server.backbone.cancelRejudge({ id, by: "jury" })).toEqual({ type: "unknown" });
  });
});
