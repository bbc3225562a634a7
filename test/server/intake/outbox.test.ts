import { describe, expect, it } from "vitest";
import { findJob } from "../../../src/server/broker/jobs.ts";
import type { JudgementDocument } from "../../../src/server/store/documents.ts";
import { judgementId, newSubmissionId } from "../../../src/shared/ids.ts";
import { encodeJson } from "../../../src/shared/nats.ts";
import { subjects } from "../../../src/shared/topology.ts";
import { namespace } from "../../support/namespace.ts";
import { accepted, eventually, openSuite, until } from "../rig.ts";

const ns = namespace();
const WINDOW = 5;

const { server, wire } = await openSuite(ns, { limits: { dispatchWindow: WINDOW } });

const queueOf = async (language: string) =>
  (await server.backbone.queues()).find((queue) => queue.language === language && queue.lane === "practice");

describe("the dispatch window", () => {
  it("keeps what is beyond it in MongoDB and sends it out, oldest first, as places come free", async () => {
    const ids: string[] = [];
    for (let i = 0; i < WINDOW * 3; i++) ids.push((await accepted(server)).submission._id);
    const full = await eventually(
      () => queueOf("python"),
      // What is held is counted now and then only, the broker's part apart from it.
      (queue) => queue?.waiting === WINDOW && queue.pending === WINDOW * 2,
    );
    expect(full?.inStream).toBe(WINDOW);
    expect(full?.oldestAt).toBeInstanceOf(Date);

    const executor = wire.executor("e1");
    const order: string[] = [];
    while (order.length < ids.length) {
      // Places come free all the time now: a newcomer must not get one before those that wait.
      if (order.length === WINDOW) ids.push((await accepted(server)).submission._id);
      const held = await executor.take();
      order.push(held.job.submission);
      await executor.emit(held, 1, { type: "finished", result: { verdict: "AC" } });
      await executor.ack(held);
    }
    expect(order).toEqual(ids);
    for (const id of ids)
      await until(server, id as never, (snapshot) => snapshot.judgement.state === "FINISHED");
  });
});

describe("what a crash leaves", () => {
  /** As intake stores it, before the publish. */
  const judgementOf = async (dispatch: number): Promise<JudgementDocument> => {
    const { judgement } = await accepted(server, { language: "go" });
    const held = await wire.executor("e1").take("go");
    await wire.executor("e1").ack(held);
    const stored = await server.store.judgements.get(judgement._id);
    if (stored === undefined) throw new Error("not stored");
    const pending = {
      ...stored,
      state: "PENDING" as const,
      dispatch,
      dispatchAfter: new Date(),
      change: stored.change + 1,
    };
    // The lazy mark may write in between.
    if (await server.store.judgements.replaceIfUnchanged(pending)) return pending;
    return await judgementOf(dispatch);
  };

  it("is published again under its dispatch, and counts as there when the broker knows the id", async () => {
    // The broker remembers the id of the acked message: nothing is published twice.
    const judgement = await judgementOf(1);
    const queued = await until(
      server,
      judgement.submission,
      ({ judgement: { state } }) => state === "QUEUED",
    );
    expect(queued.judgement.dispatch).toBe(1);
    expect(await wire.executor("e1").pull("go")).toBeUndefined();
  });

  it("replaces a message of an older dispatch that still holds the subject", async () => {
    const judgement = await judgementOf(3);
    const { submission } = judgement;
    const found = await wire.executor("e1").take("go");
    expect(found.job).toMatchObject({ submission, dispatch: 3 });
    await wire.executor("e1").ack(found);
    // Now an older one takes the subject before the outbox publishes.
    const subject = subjects.job(ns.topology, "go", "practice", submission);
    await wire.js.publish(subject, encodeJson({ ...found.job, dispatch: 3 }), { msgID: "older" });
    const stored = await eventually(
      () => server.store.judgements.get(judgement._id),
      (one) => one?.state === "QUEUED",
    );
    if (stored === undefined) throw new Error("not stored");
    await server.store.judgements.replaceIfUnchanged({
      ...stored,
      state: "PENDING",
      dispatch: 4,
      dispatchAfter: new Date(),
      change: stored.change + 1,
    });
    const there = await eventually(
      () => findJob({ jsm: wire.jsm, topology: ns.topology }, judgement),
      (job) => job?.job?.dispatch === 4,
    );
    expect(there?.job?.dispatch).toBe(4);
  });

  it("never publishes a judgement whose submission did not come to be", async () => {
    const id = newSubmissionId(Date.now());
    const { judgement } = await accepted(server, { language: "java" });
    const at = new Date();
    await server.store.judgements.insert({
      ...judgement,
      _id: judgementId(id, 1),
      submission: id,
      language: "rust",
      dispatchAfter: at,
      createdAt: at,
    });
    const waiting = await eventually(
      () => server.store.judgements.get(judgementId(id, 1)),
      (one) => (one?.dispatchAfter.getTime() ?? 0) > at.getTime() + 1_500 && one?.claim !== undefined,
    );
    expect(waiting?.state).toBe("PENDING");
    expect(
      await findJob(
        { jsm: wire.jsm, topology: ns.topology },
        { language: "rust", lane: "practice", submission: id },
      ),
    ).toBeUndefined();
    expect(await server.store.snapshots.get(id)).toBeUndefined();
  });
});
