import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import type { SubmissionSnapshot } from "../../../src/server/store/documents.ts";
import { revisionOf } from "../../../src/server/store/documents.ts";
import { judgementId, type SubmissionId } from "../../../src/shared/ids.ts";
import type { FaultCode } from "../../../src/shared/protocol.ts";
import { namespace } from "../../support/namespace.ts";
import { accepted, eventually, openSuite, type ProgramInput, startServer, until } from "../rig.ts";

const ns = namespace();
const VICTIM = fileURLToPath(new URL("../victim.ts", import.meta.url));
const RESULT = { verdict: "AC", tests: [] };
const victims: ChildProcess[] = [];

const { server, wire } = await openSuite(ns);
afterEach(() => {
  for (const victim of victims.splice(0)) victim.kill("SIGKILL");
});

/** A submission that an executor has given up. */
async function dead(
  input: ProgramInput = {},
  code: FaultCode = "JOB_MALFORMED",
): Promise<SubmissionSnapshot> {
  const { submission } = await accepted(server, input);
  const executor = wire.executor("e1");
  const held = await executor.take();
  expect(held.job.submission).toBe(submission._id);
  const fault = { code, message: "no use", log: "last words", retry: false, shared: false };
  await executor.emit(held, 1, { type: "fault", fault });
  await executor.ack(held);
  return await until(server, submission._id, ({ judgement }) => judgement.state === "FAILED");
}

/** Takes the one job of this generation, ends it and sees that there is no other. */
async function judge(id: SubmissionId, generation: number): Promise<SubmissionSnapshot> {
  const executor = wire.executor("e2");
  const held = await executor.take();
  expect(held.job).toMatchObject({ submission: id, generation });
  await executor.emit(held, 1, { type: "finished", result: RESULT });
  await executor.ack(held);
  const final = await until(server, id, ({ judgement }) => judgement.state === "FINISHED");
  expect(final).toMatchObject({ submission: { generation }, judgement: { generation } });
  expect(await executor.pull()).toBeUndefined();
  return final;
}

const generations = async (id: SubmissionId): Promise<number[]> => {
  const ids = [1, 2, 3, 4].map((generation) => judgementId(id, generation));
  return (await server.store.judgements.many(ids)).map((one) => one.generation).toSorted((a, b) => a - b);
};
const listed = async (owner: string, discarded = false): Promise<SubmissionId[]> => {
  const page = await server.store.deadLetters.page({ first: 100, discarded });
  return page.filter((one) => one.submission.owner === owner).map((one) => one.submission._id);
};

describe("redriving a dead letter", () => {
  it("is a new generation with all its tries; the old judgement stays as history", async () => {
    const before = await dead({ owner: "ann" });
    const id = before.submission._id;
    expect(await listed("ann")).toEqual([id]);
    const outcome = await server.backbone.redrive({ submission: id, by: "jury" });
    expect(outcome).toMatchObject({
      type: "redriven",
      snapshot: { submission: { generation: 2 }, judgement: { generation: 2, tries: [] } },
    });
    // Whoever saw the last state of the first judging goes on from there.
    const seen: string[] = [];
    let revision = revisionOf(before.judgement);
    const judged = judge(id, 2);
    for await (const { judgement } of server.backbone.feed.watch(id, revision)) {
      expect(revisionOf(judgement)).toBeGreaterThan(revision);
      revision = revisionOf(judgement);
      seen.push(judgement.state);
    }
    await judged;
    expect(seen.at(-1)).toBe("FINISHED");
    expect(seen).not.toContain("FAILED");
    const old = await server.store.judgements.get(before.judgement._id);
    expect(old).toMatchObject({
      state: "FAILED",
      change: before.judgement.change,
      tries: [{ executor: "e1", end: { code: "JOB_MALFORMED", log: "last words" } }],
      deadLetter: { redrive: { by: "jury", generation: 2 } },
    });
    expect(await listed("ann")).toEqual([]);
    expect(await server.backbone.redrive({ submission: id, by: "jury" })).toMatchObject({ type: "not-dead" });
  });

  it("takes the problem as it is now: a mended validator is used", async () => {
    const before = await dead({ owner: "bob" });
    const id = before.submission._id;
    const problem = await server.store.problems.get(before.submission.problem);
    if (!problem) throw new Error("no problem");
    const manifest = await server.store.blobs.put(new TextEncoder().encode('{"mended":true}'));
    await server.store.problems.put({ ...problem, manifest });
    await server.backbone.redrive({ submission: id, by: "jury" });
    const held = await wire.executor("e2").take();
    expect(held.job.payload).toMatchObject({ manifest });
    await wire.executor("e2").emit(held, 1, { type: "finished", result: RESULT });
    await wire.executor("e2").ack(held);
    await until(server, id, ({ judgement }) => judgement.state === "FINISHED");
    await server.store.problems.put(problem);
  });

  it("can be done again when it ends as a dead letter again", async () => {
    const id = (await dead({ owner: "cat" })).submission._id;
    for (const generation of [2, 3]) {
      await server.backbone.redrive({ submission: id, by: "jury" });
      const held = await wire.executor("e1").take();
      expect(held.job.generation).toBe(generation);
      const fault = { code: "INTERNAL" as const, message: "again", retry: false, shared: false };
      await wire.executor("e1").emit(held, 1, { type: "fault", fault });
      await wire.executor("e1").ack(held);
      await until(
        server,
        id,
        ({ judgement }) => judgement.state === "FAILED" && judgement.generation === generation,
      );
    }
    expect(await listed("cat")).toEqual([id]);
    expect(await generations(id)).toEqual([1, 2, 3]);
  });

  it("of twenty at once on two servers makes one new generation and one job", async () => {
    const id = (await dead({ owner: "dan" })).submission._id;
    const other = await startServer({ ...ns, instance: "other" });
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        (i % 2 === 0 ? server : other).backbone.redrive({ submission: id, by: `jury${i}` }),
      ),
    );
    const won = outcomes.filter((outcome) => outcome.type === "redriven");
    expect(won.length).toBeGreaterThan(0);
    for (const outcome of won) expect(outcome.snapshot.judgement.generation).toBe(2);
    await judge(id, 2);
    expect(await generations(id)).toEqual([1, 2]);
    await other.stop();
  });

  it("of many goes by filter and is bounded", async () => {
    await dead({ owner: "eve" }, "SANDBOX_FAILED");
    await dead({ owner: "eve" }, "SANDBOX_FAILED");
    const newest = (await dead({ owner: "eve" }, "SANDBOX_FAILED")).submission._id;
    const laidAside = (await dead({ owner: "eve" }, "BLOB_CORRUPT")).submission._id;
    const filter = { code: "SANDBOX_FAILED" as const };
    const first = await server.backbone.redriveMany({ filter, by: "jury", limit: 1 });
    expect(first).toEqual({ redriven: 1, more: true });
    await judge(newest, 2);
    expect(await server.backbone.redriveMany({ filter, by: "jury", limit: 10 })).toEqual({
      redriven: 2,
      more: false,
    });
    for (let i = 0; i < 2; i++) {
      const held = await wire.executor("e2").take();
      await wire.executor("e2").emit(held, 1, { type: "finished", result: RESULT });
      await wire.executor("e2").ack(held);
    }
    expect(await listed("eve")).toEqual([laidAside]);
    const count = (await server.store.deadLetters.counts()).get("BLOB_CORRUPT");
    expect(count).toBe(1);
  });
});

describe("discarding a dead letter", () => {
  it("keeps it FAILED with who and why, and lists it no more; of two the first one's words stay", async () => {
    const before = await dead({ owner: "fay" });
    const id = before.submission._id;
    const [first, second] = [
      await server.backbone.discard({ submission: id, by: "jury", reason: "a test of ours" }),
      await server.backbone.discard({ submission: id, by: "other", reason: "late" }),
    ];
    expect([first.type, second.type]).toEqual(["discarded", "discarded"]);
    const now = await server.store.snapshots.get(id);
    expect(now?.judgement).toMatchObject({
      state: "FAILED",
      change: before.judgement.change,
      deadLetter: { discarded: { by: "jury", reason: "a test of ours" } },
    });
    expect(await listed("fay")).toEqual([]);
    expect(await listed("fay", true)).toEqual([id]);
    // Not by a filter; by name it may be changed of mind.
    await server.backbone.redriveMany({ filter: { code: "JOB_MALFORMED" }, by: "jury", limit: 100 });
    expect(await generations(id)).toEqual([1]);
    expect((await server.backbone.redrive({ submission: id, by: "jury" })).type).toBe("redriven");
    await judge(id, 2);
  });

  it("is refused for what is no dead letter and for what is being redriven", async () => {
    const { submission } = await accepted(server, { owner: "gus" });
    const input = { submission: submission._id, by: "jury", reason: "why" };
    expect((await server.backbone.discard(input)).type).toBe("not-dead");
    await judge(submission._id, 1);
    expect((await server.backbone.discard(input)).type).toBe("not-dead");
    const unknown = "0".repeat(26) as SubmissionId;
    expect((await server.backbone.discard({ ...input, submission: unknown })).type).toBe("unknown");
    const id = (await dead({ owner: "gus" })).submission._id;
    const outcomes = await Promise.all([
      server.backbone.redrive({ submission: id, by: "jury" }),
      server.backbone.discard({ ...input, submission: id }),
    ]);
    // One of the two came first; in either case the redrive by name holds, and one job is there.
    expect(outcomes[0].type).toBe("redriven");
    await judge(id, 2);
  });
});

describe("a server that dies while it redrives", () => {
  async function victim(place: string, id: SubmissionId): Promise<void> {
    const { mongodbUrl, natsUrl, database, topology } = ns;
    const input = JSON.stringify({ mongodbUrl, natsUrl, database, topology });
    const child = spawn(process.execPath, [VICTIM, input, place], { stdio: ["pipe", "pipe", "inherit"] });
    victims.push(child);
    await once(child.stdout, "data");
    child.stdin.write(`${JSON.stringify({ redrive: id })}\n`);
    await once(child, "exit");
    expect(child.signalCode).toBe("SIGKILL");
  }

  it("after its mark: the dead letter is still there, and can be redriven", async () => {
    const id = (await dead({ owner: "hal" })).submission._id;
    await victim("redrive.afterMark", id);
    expect(await listed("hal")).toEqual([id]);
    // Somebody has decided otherwise.
    const late = await server.backbone.discard({ submission: id, by: "jury", reason: "late" });
    expect(late.type).toBe("not-dead");
    expect(await generations(id)).toEqual([1]);
    expect((await server.backbone.redrive({ submission: id, by: "jury" })).type).toBe("redriven");
    await judge(id, 2);
  });

  it("between the new judgement and the pointer: the outbox points to it before it publishes", async () => {
    const id = (await dead({ owner: "ida" })).submission._id;
    await victim("redrive.afterJudgement", id);
    await judge(id, 2);
    expect(await listed("ida")).toEqual([]);
    expect(await generations(id)).toEqual([1, 2]);
  });

  it("after the pointer: it is judged, and the list forgets it", async () => {
    const id = (await dead({ owner: "joe" })).submission._id;
    await victim("redrive.afterPoint", id);
    await judge(id, 2);
    expect(await listed("joe")).toEqual([]);
    await eventually(
      async () => (await server.store.judgements.get(judgementId(id, 1)))?.deadLetter?.redrive?.generation,
      (generation) => generation === 2,
    );
  });
});
