import { randomBytes, randomUUID } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { MongoClient, ObjectId } from "mongodb";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sha256Of } from "../../../src/server/store/blobledger.ts";
import { BlobDamaged } from "../../../src/server/store/blobs.ts";
import { openStore, type Store } from "../../../src/server/store/store.ts";
import { StoreUnavailable } from "../../../src/server/store/unavailable.ts";
import { collectOrphans } from "../../../src/server/results/orphans.ts";
import type { ProblemId, Sha256 } from "../../../src/shared/ids.ts";
import { judgementId, newSubmissionId } from "../../../src/shared/ids.ts";
import { createLog } from "../../../src/shared/log.ts";
import type { JudgementDocument, SubmissionDocument } from "../../../src/server/store/documents.ts";
import { namespace } from "../../support/namespace.ts";

const ns = namespace();
const HOUR_MS = 3_600_000;
let nowMs = Date.now();
const clock = { now: () => nowMs };
let store: Store;
let client: MongoClient;

beforeAll(async () => {
  store = await openStore({ url: ns.mongodbUrl, database: ns.database, clock });
  client = new MongoClient(ns.mongodbUrl);
});
afterAll(async () => {
  await store.close();
  await client.close();
});

function documents(more: Partial<SubmissionDocument> = {}): [SubmissionDocument, JudgementDocument] {
  const id = newSubmissionId(clock.now());
  const at = new Date(clock.now());
  const shared = {
    owner: "ann",
    kind: "judge",
    problem: "hello" as ProblemId,
    language: "python" as const,
    lane: "practice" as const,
    generation: 1,
    createdAt: at,
  };
  const submission: SubmissionDocument = {
    ...shared,
    _id: id,
    idempotencyKey: randomUUID(),
    contentHash: "0".repeat(64) as Sha256,
    manifest: "0".repeat(64) as Sha256,
    files: [],
    ...more,
  };
  const judgement: JudgementDocument = {
    ...shared,
    owner: submission.owner,
    _id: judgementId(id, 1),
    submission: id,
    state: "PENDING",
    dispatch: 0,
    delivery: 0,
    seq: 0,
    dispatchAfter: at,
    change: 0,
    tries: [],
    updatedAt: at,
  };
  return [submission, judgement];
}

async function insert(
  more: Partial<SubmissionDocument> = {},
): Promise<[SubmissionDocument, JudgementDocument]> {
  const [submission, judgement] = documents(more);
  expect(await store.judgements.insert(judgement)).toBe("inserted");
  expect(await store.submissions.insert(submission)).toBe("inserted");
  return [submission, judgement];
}

describe("rejected messages", () => {
  it("are kept up to rejectedMessages, also when that is changed", async () => {
    const at = { url: ns.mongodbUrl, database: `${ns.database}-few` };
    const put = async (few: Store, count: number): Promise<string[]> => {
      for (let n = 0; n < count; n++) {
        const message = {
          at: new Date(),
          source: "event",
          reason: "forged",
          place: "p",
          excerpt: "",
        } as const;
        await few.rejected.put({ ...message, why: String(n) });
      }
      return (await few.rejected.newest(100)).map(({ why }) => why);
    };
    for (const rejectedMessages of [3, 5, 2]) {
      const few = await openStore({ ...at, rejectedMessages });
      try {
        const expected = Array.from({ length: rejectedMessages }, (_, n) => String(9 - n));
        expect(await put(few, 10)).toEqual(expected);
      } finally {
        await few.close();
      }
    }
    await client.db(at.database).dropDatabase();
  });
});

describe("jury's filters", () => {
  it.each([
    ["a verdict", { state: "FINISHED", "result.verdict": "MLE" }, "result.verdict_1__id_-1"],
    ["a rare state", { state: "FAILED" }, "state_1__id_-1"],
  ])("by %s do not read all that was ever judged", async (_, filter, index) => {
    const judgements = client.db(ns.database).collection("judgements");
    const plan = await judgements
      .find({ kind: "judge", ...filter })
      .sort({ _id: -1 })
      .limit(20)
      .explain();
    expect(JSON.stringify(plan["queryPlanner"]["winningPlan"])).toContain(index);
    expect(JSON.stringify(plan["queryPlanner"]["winningPlan"])).not.toContain('"SORT"');
  });
});

describe("blobs", () => {
  it.each([0, 10, 256 * 1024, 256 * 1024 + 1, 3_000_000])("keep %i bytes", async (size) => {
    const content = randomBytes(size);
    const names = await Promise.all([store.blobs.put(content), store.blobs.put(content)]);
    expect(names).toEqual([sha256Of(content), sha256Of(content)]);
    const open = await store.blobs.open(sha256Of(content));
    expect(open?.sizeBytes).toBe(size);
    if (open === undefined) throw new Error("not there");
    expect((await buffer(open.stream)).equals(content)).toBe(true);
    expect(Buffer.from((await store.blobs.read(sha256Of(content))) ?? "x").equals(content)).toBe(true);
    expect(await store.blobs.has(sha256Of(content))).toBe(true);
  });

  it("say what is not there, and what is damaged", async () => {
    const missing = sha256Of(randomBytes(8));
    expect(await store.blobs.open(missing)).toBeUndefined();
    expect(await store.blobs.read(missing)).toBeUndefined();
    expect(await store.blobs.has(missing)).toBe(false);
    const content = randomBytes(100);
    const sha256 = await store.blobs.put(content);
    const ledger = client.db(ns.database).collection<{ _id: string }>("blobs");
    await ledger.updateOne({ _id: sha256 }, { $set: { data: Buffer.from("other") } });
    await expect(store.blobs.read(sha256)).rejects.toThrow(BlobDamaged);
  });
});

describe("orphans", () => {
  const collect = () =>
    collectOrphans(
      { store, clock, instance: "t", log: createLog("t", "silent") },
      new AbortController().signal,
    );

  it("go after a day: blobs that no submission and no problem names, judgements without a submission", async () => {
    const [kept, big, orphan, ofProblem] = await Promise.all(
      [20, 300_000, 300_001, 40].map((size) => store.blobs.put(randomBytes(size))),
    );
    if (!kept || !big || !orphan || !ofProblem) throw new Error("not put");
    const files = [kept, big].map((sha256, i) => ({ name: `f${i}`, sha256, sizeBytes: 1 }));
    const [submission] = await insert({ files });
    const [, alone] = documents();
    await store.judgements.insert(alone);
    await store.problems.put({
      _id: "hello" as ProblemId,
      name: "Hello",
      manifest: ofProblem,
      blobs: [ofProblem],
      timeMs: 1,
      memoryMiB: 1,
      codeKiB: 1,
      testCount: 1,
      importedAt: new Date(clock.now()),
      importedBy: "x",
    });
    // A write that a crash cut short: chunks, and no file that names them.
    const chunks = client.db(ns.database).collection("blobs.chunks");
    const files_id = new ObjectId();
    await chunks.insertOne({ files_id, n: 0, data: Buffer.from("x") });
    nowMs += 23 * HOUR_MS;
    expect(await collect()).toEqual({ blobs: 0, judgements: 0, cutShort: 0 });
    expect(await store.blobs.has(orphan)).toBe(true);
    nowMs += 2 * HOUR_MS;
    expect((await collect()).cutShort).toBe(1);
    expect(await chunks.countDocuments({ files_id })).toBe(0);
    expect(await Promise.all([kept, big, orphan, ofProblem].map((name) => store.blobs.has(name)))).toEqual([
      true,
      true,
      false,
      true,
    ]);
    expect(await store.judgements.get(alone._id)).toBeUndefined();
    expect(await store.snapshots.get(submission._id)).toBeDefined();
    expect(await collect()).toEqual({ blobs: 0, judgements: 0, cutShort: 0 });
    // A name that was collected can be put again.
    const files2 = await client
      .db(ns.database)
      .collection("blobs.files")
      .find({ filename: orphan })
      .toArray();
    expect(files2).toEqual([]);
  });

  it("stay when a submission names them that came long before their last put", async () => {
    const content = randomBytes(50);
    const sha256 = await store.blobs.put(content);
    await insert({ files: [{ name: "main.py", sha256, sizeBytes: 50 }] });
    // The client repeats its request with the same idempotency key: the blob is put, no submission is stored.
    nowMs += 3 * HOUR_MS;
    await store.blobs.put(content);
    nowMs += 25 * HOUR_MS;
    await collect();
    expect(await store.blobs.has(sha256)).toBe(true);
  });

  it("stay when they are put again in time", async () => {
    const content = randomBytes(30);
    const sha256 = await store.blobs.put(content);
    const blob = (await store.blobs.unclaimed(new Date(nowMs + 1), 1000)).find(
      (one) => one.sha256 === sha256,
    );
    if (blob === undefined) throw new Error("not listed");
    nowMs += HOUR_MS;
    await store.blobs.put(content);
    expect(await store.blobs.collect(blob)).toBe(false);
    expect(await store.blobs.has(sha256)).toBe(true);
  });
});

describe("guarded writes", () => {
  it("replace only what has not changed: of many at once one wins", async () => {
    const [, judgement] = await insert();
    const wins = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        store.judgements.replaceIfUnchanged({ ...judgement, seq: i, change: 1 }),
      ),
    );
    expect(wins.filter(Boolean)).toHaveLength(1);
    expect((await store.judgements.get(judgement._id))?.change).toBe(1);
  });

  it("replace in groups and say for each whether it was replaced, and why not", async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => insert()));
    let deep: unknown = 1;
    for (let i = 0; i < 300; i++) deep = { deep };
    const outcomes = await Promise.allSettled(
      all.map(([, judgement], i) => {
        // Every third is behind; one is deeper than BSON may be.
        const change = i % 3 === 0 ? 5 : 1;
        return store.judgements.replaceIfUnchanged({ ...judgement, change, result: i === 7 ? deep : { i } });
      }),
    );
    expect(outcomes.map((one) => (one.status === "fulfilled" ? one.value : "refused"))).toEqual(
      all.map((_, i) => (i === 7 ? "refused" : i % 3 !== 0)),
    );
    const stored = await store.judgements.many(all.map(([, judgement]) => judgement._id));
    expect(stored.filter((one) => one.change === 1)).toHaveLength(12);
  });

  it("give each held judgement to one server, and each one due to one claim", async () => {
    const all = await Promise.all(Array.from({ length: 30 }, () => insert()));
    const ids = all.map(([, judgement]) => judgement._id);
    const now = new Date(clock.now());
    const until = new Date(clock.now() + 2_000);
    const place = { language: "python", lane: "practice" } as const;
    const due = async () =>
      (await store.judgements.due({ now, limit: 1_000 })).filter((one) => ids.includes(one._id));
    expect(await due()).toHaveLength(30);
    await store.held.putInLine(all.map(([, judgement]) => judgement));
    expect(await due()).toEqual([]);
    expect(await store.held.places()).toEqual([place]);
    const owners = await store.held.owners(place);
    const oldest = await Promise.all(owners.map((owner) => store.held.oldest({ place, owner, limit: 100 })));
    expect(
      oldest
        .flat()
        .map((one) => one._id)
        .toSorted(),
    ).toEqual(ids.toSorted());
    const before = await store.held.out(place);
    const taken = await Promise.all(
      ["a", "b", "c"].map((claim) => store.held.take({ ids, now, until, claim: claim + randomUUID() })),
    );
    expect(
      taken
        .flat()
        .map((one) => one._id)
        .toSorted(),
    ).toEqual(ids.toSorted());
    expect(new Set(taken.flat().map((one) => one.dispatch))).toEqual(new Set([1]));
    const sum = (counts: ReadonlyMap<string, number>): number =>
      counts.values().reduce((total, count) => total + count, 0);
    expect(sum(await store.held.out(place)) - sum(before)).toBe(30);
    // Later due again, under the same dispatch.
    const later = new Date(clock.now() + 3_000);
    const holdUntil = new Date(later.getTime() + 2_000);
    const claims = await Promise.all(
      ["a", "b", "c"].map((claim) =>
        store.judgements.claim({ ids, now: later, holdUntil, claim: claim + randomUUID() }),
      ),
    );
    const again = claims.flat();
    expect(again.map((one) => one._id).toSorted()).toEqual(ids.toSorted());
    expect(new Set(again.map((one) => one.dispatch))).toEqual(new Set([1]));
    await store.judgements.markQueued(
      again.map((one) => ({ id: one._id, dispatch: 1 })),
      later,
    );
    expect(new Set((await store.judgements.many(ids)).map((one) => one.state))).toEqual(new Set(["QUEUED"]));
  });

  it("insert in groups and say for each whether its key was taken", async () => {
    const [first] = documents({ owner: "group", idempotencyKey: "same" });
    const rivals = Array.from({ length: 50 }, (_, i) =>
      documents({ owner: "group", idempotencyKey: i % 2 === 0 ? "same" : `own ${i}` }),
    );
    const outcomes = await Promise.all(
      [first, ...rivals.map(([one]) => one)].map((one) => store.submissions.insert(one)),
    );
    expect(outcomes.filter((outcome) => outcome === "inserted")).toHaveLength(1 + 25);
    expect(await store.submissions.byKey("group", "own 3")).toBeDefined();
  });
});

describe("a lease", () => {
  it("has one holder, goes on when it is kept and over when it is given back or runs out", async () => {
    const take = (holder: string, ttlMs = 60_000) => store.leases.acquire({ name: "l", holder, ttlMs });
    const first = (await Promise.all(["a", "b", "c"].map((holder) => take(holder)))).find(Boolean);
    expect(first).toBe(1);
    const holder = (
      await Promise.all(["a", "b", "c"].map(async (one) => ((await take(one)) ? one : "")))
    ).join("");
    expect(holder).toHaveLength(1);
    await store.leases.release({ name: "l", holder });
    expect(await take("d", 1)).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await take("e")).toBe(3);
    expect(await take("d")).toBeUndefined();
  });
});

describe("pages of submissions", () => {
  it("come newest first, filtered, each once", async () => {
    const ids: string[] = [];
    for (let i = 0; i < 7; i++) {
      nowMs += 5;
      const [submission] = await insert({ owner: "pager", language: i % 2 === 0 ? "python" : "go" });
      ids.unshift(submission._id);
      // Judgements alone are no submissions.
      await store.judgements.insert({ ...documents({ owner: "pager" })[1], owner: "pager" });
    }
    const seen: string[] = [];
    for (;;) {
      const before = seen.at(-1) as SubmissionDocument["_id"] | undefined;
      const page = await store.snapshots.page({ owner: "pager", before, first: 3 });
      seen.push(...page.map((one) => one.submission._id));
      if (page.length < 3) break;
    }
    expect(seen).toEqual(ids);
    expect(await store.snapshots.page({ owner: "nobody", first: 3 })).toEqual([]);
    expect(await store.snapshots.page({ owner: "pager", state: "FINISHED", first: 3 })).toEqual([]);
    expect(await store.snapshots.page({ owner: "pager", state: "PENDING", first: 2 })).toHaveLength(2);
  });
});

describe("a database that is not there", () => {
  it("is said so in time", async () => {
    const url = "mongodb://127.0.0.1:1/?directConnection=true";
    await expect(openStore({ url, database: "x", timeoutMs: 300 })).rejects.toThrow(StoreUnavailable);
  });
});
