import { describe, expect, it } from "vitest";
import { isFinal, revisionOf, type SubmissionSnapshot } from "../../../src/server/store/documents.ts";
import type { SubmissionId } from "../../../src/shared/ids.ts";
import { subjects } from "../../../src/shared/topology.ts";
import { namespace } from "../../support/namespace.ts";
import { accepted, eventually, type Held, openPair } from "../rig.ts";

const ns = namespace();

const { server, other, wire } = await openPair(ns);

const RESULT = { verdict: "AC", tests: [] };

async function running(): Promise<{ id: SubmissionId; job: Held }> {
  const { submission } = await accepted(server);
  const job = await wire.executor("e1").take();
  await wire.executor("e1").emit(job, 1, { type: "started" });
  await eventually(
    () => server.store.snapshots.get(submission._id),
    (snapshot) => snapshot?.judgement.state === "RUNNING",
  );
  return { id: submission._id, job };
}

async function finish(job: Held, seq = 100): Promise<void> {
  await wire.executor("e1").emit(job, seq, { type: "finished", result: RESULT });
  await wire.executor("e1").ack(job);
}

async function all(feed: AsyncIterable<SubmissionSnapshot>): Promise<SubmissionSnapshot[]> {
  const seen: SubmissionSnapshot[] = [];
  for await (const snapshot of feed) seen.push(snapshot);
  return seen;
}

describe("a watch", () => {
  it("gives growing revisions, the final one last, on every server", async () => {
    const { id, job } = await running();
    const readers = [server, other, other].map((one) => all(one.backbone.feed.watch(id)));
    for (let i = 2; i < 12; i++) {
      await wire.executor("e1").emit(job, i, { type: "progress", result: { tests: i } });
    }
    await finish(job);
    for (const seen of await Promise.all(readers)) {
      const revisions = seen.map((snapshot) => revisionOf(snapshot.judgement));
      expect(revisions).toEqual([...new Set(revisions)].toSorted((a, b) => a - b));
      expect(seen.filter((snapshot) => isFinal(snapshot.judgement.state))).toHaveLength(1);
      expect(seen.at(-1)?.judgement).toMatchObject({ state: "FINISHED", result: RESULT });
    }
    expect(server.backbone.feed.watchers() + other.backbone.feed.watchers()).toBe(0);
  });

  it("goes on after a revision: nothing old, nothing missed", async () => {
    const { id, job } = await running();
    const [first] = await all(takeOne(server.backbone.feed.watch(id)));
    if (!first) throw new Error("nothing seen");
    const revision = revisionOf(first.judgement);
    const rest = all(server.backbone.feed.watch(id, revision));
    await finish(job);
    const seen = await rest;
    expect(seen.every((snapshot) => revisionOf(snapshot.judgement) > revision)).toBe(true);
    const last = seen.at(-1);
    if (!last) throw new Error("nothing seen");
    // After the final one there is nothing more.
    expect(await all(server.backbone.feed.watch(id, revisionOf(last.judgement)))).toEqual([]);
    expect(await all(server.backbone.feed.watch(id, revision))).toMatchObject([
      { judgement: { state: "FINISHED" } },
    ]);
  });

  it("ends without a word for what does not exist", async () => {
    expect(await all(server.backbone.feed.watch("0".repeat(26) as SubmissionId))).toEqual([]);
  });

  it("gives a slow reader the newest only", async () => {
    const { id, job } = await running();
    const feed = server.backbone.feed.watch(id);
    expect((await feed.next()).value?.judgement.state).toBe("RUNNING");
    for (let i = 2; i < 30; i++) {
      await wire.executor("e1").emit(job, i, { type: "progress", result: { tests: i } });
    }
    await finish(job);
    await eventually(
      () => server.store.snapshots.get(id),
      (snapshot) => snapshot?.judgement.state === "FINISHED",
    );
    // Others have been told by now, so this reader has been offered all.
    await all(server.backbone.feed.watch(id));
    expect((await feed.next()).value?.judgement.state).toBe("FINISHED");
    expect((await feed.next()).done).toBe(true);
  });

  it("ends at once when its reader goes, even in the middle of a wait", async () => {
    const { id, job } = await running();
    const feed = server.backbone.feed.watch(id);
    await feed.next();
    const waiting = feed.next();
    expect(server.backbone.feed.watchers()).toBe(1);
    await feed.return?.();
    expect((await waiting).done).toBe(true);
    expect(server.backbone.feed.watchers()).toBe(0);
    await finish(job);
  });

  it("hears of it without any announcement, a little later", async () => {
    const { id, job } = await running();
    const feed = other.backbone.feed.watch(id);
    const first = await feed.next();
    const seen = first.value?.judgement;
    if (!seen) throw new Error("nothing seen");
    // Written past the recorder: nobody announces it.
    await server.store.judgements.replaceIfUnchanged({
      ...seen,
      result: { tests: 7 },
      change: seen.change + 1,
    });
    expect((await feed.next()).value?.judgement.result).toEqual({ tests: 7 });
    await feed.return?.();
    await finish(job);
  });

  it("does not take an announcement's word for anything", async () => {
    const { id, job } = await running();
    const feed = server.backbone.feed.watch(id);
    await feed.next();
    const update = subjects.update(ns.topology, id);
    wire.connection.publish(update, "{not json");
    wire.connection.publish(update, JSON.stringify({ revision: 2 ** 30, final: true }));
    const next = feed.next();
    await finish(job);
    expect((await next).value?.judgement.state).toBe("FINISHED");
    expect((await feed.next()).done).toBe(true);
  });
});

/** The first of an iterable, which is closed then. */
async function* takeOne<T>(iterable: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const one of iterable) {
    yield one;
    return;
  }
}
