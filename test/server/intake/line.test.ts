import { describe, expect, it } from "vitest";
import { submissionsInStream } from "../../../src/server/broker/jobs.ts";
import { judgementId, type ProblemId, type SubmissionId } from "../../../src/shared/ids.ts";
import { namespace } from "../../support/namespace.ts";
import { accepted, eventually, openPair, PROBLEM, putProblem, type Server } from "../rig.ts";

const ns = namespace();
const WINDOW = 3;

const { server, other, wire } = await openPair(ns, { limits: { ownerWindow: WINDOW } });

/** How many jobs of each owner are in the stream. */
async function inStream(language: "python" | "go" | "rust"): Promise<Map<string, number>> {
  const ids = [...(await submissionsInStream({ jsm: wire.jsm, topology: ns.topology }, language))];
  const found = await server.store.judgements.many(ids.map((id) => judgementId(id as SubmissionId, 1)));
  const owners = new Map<string, number>();
  for (const { owner } of found) owners.set(owner, (owners.get(owner) ?? 0) + 1);
  return owners;
}

describe("the line", () => {
  it("lets few jobs of one owner into the queue, so that others pass, on both servers", async () => {
    const flood: string[] = [];
    for (let i = 0; i < 20; i++) {
      const { submission } = await accepted(i % 2 === 0 ? server : other, { owner: "flood" });
      flood.push(submission._id);
    }
    await eventually(
      () => inStream("python"),
      (owners) => owners.get("flood") === WINDOW,
    );
    const guest = await accepted(server, { owner: "guest" });
    const executor = wire.executor("e1");
    const order: string[] = [];
    let most = 0;
    while (order.length < 21) {
      const held = await executor.take();
      order.push(held.job.submission);
      most = Math.max(most, (await inStream("python")).get("flood") ?? 0);
      await executor.emit(held, 1, { type: "finished", result: { verdict: "AC" } });
      await executor.ack(held);
    }
    expect(most).toBe(WINDOW);
    expect(order.indexOf(guest.submission._id)).toBe(WINDOW);
    const own = order.filter((id) => id !== guest.submission._id);
    expect(own.toSorted()).toEqual(flood.toSorted());
    // Of two that are out at once, let out by two servers, either may be published first.
    for (const [place, id] of own.entries())
      expect(Math.abs(place - flood.indexOf(id)), id).toBeLessThan(WINDOW);
  });

  it("sends everybody's out in turn when places come free", async () => {
    for (let i = 0; i < 6; i++)
      for (const owner of ["ann", "bob", "cid"]) await accepted(server, { owner, language: "go" });
    await eventually(
      () => inStream("go"),
      (owners) => [...owners.values()].every((count) => count === WINDOW) && owners.size === 3,
    );
    const executor = wire.executor("e1");
    const judged = new Map<string, number>();
    for (let i = 0; i < 18; i++) {
      const held = await executor.take("go");
      const [judgement] = await server.store.judgements.many([judgementId(held.job.submission, 1)]);
      const owner = judgement?.owner ?? "";
      judged.set(owner, (judged.get(owner) ?? 0) + 1);
      await executor.emit(held, 1, { type: "finished", result: { verdict: "AC" } });
      await executor.ack(held);
      const counts = ["ann", "bob", "cid"].map((name) => judged.get(name) ?? 0);
      // Nobody gets ahead of another by more than what he may have in the queue.
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(WINDOW);
    }
  });

  it("passes what is cancelled in it", async () => {
    const ids: SubmissionId[] = [];
    for (let i = 0; i < 6; i++)
      ids.push((await accepted(server, { owner: "cut", language: "rust" })).submission._id);
    const [, , , first, second, last] = ids;
    if (first === undefined || second === undefined) throw new Error("too few");
    await server.backbone.cancel(first);
    await server.backbone.cancel(second);
    const executor = wire.executor("e1");
    const order: string[] = [];
    for (let i = 0; i < 4; i++) {
      const held = await executor.take("rust");
      order.push(held.job.submission);
      await executor.emit(held, 1, { type: "finished", result: { verdict: "AC" } });
      await executor.ack(held);
    }
    expect(order.at(-1)).toBe(last);
    expect(await server.store.held.places()).not.toContainEqual({ language: "rust", lane: "practice" });
  });
});

describe("a paused queue", () => {
  it("takes submissions and sends none out, on any server, until it is resumed", async () => {
    const pause = { _id: "java" as const, reason: "new compiler", by: "chief", at: new Date() };
    await server.store.pauses.put(pause);
    const executor = wire.executor("e1");
    const end = async (held: Awaited<ReturnType<typeof executor.take>>): Promise<SubmissionId> => {
      await executor.emit(held, 1, { type: "finished", result: { verdict: "AC" } });
      await executor.ack(held);
      return held.job.submission;
    };
    const submit = (to: Server) => accepted(to, { owner: "patient", language: "java" });
    // Each server hears of it within a second; until both have, what is handed in may still go out.
    for (const one of [server, other]) {
      await eventually(
        async () => (await one.backbone.waitOf((await submit(one)).judgement))?.reason,
        (reason) => reason === "java is paused: new compiler",
      );
    }
    for (let early = await executor.pull("java"); early; early = await executor.pull("java"))
      await end(early);

    const { submission, judgement } = await submit(other);
    expect((await server.backbone.waitOf(judgement))?.reason).toBe("java is paused: new compiler");
    expect(await executor.pull("java")).toBeUndefined();
    expect(await server.store.pauses.remove("java")).toBe(true);
    const out: SubmissionId[] = [];
    while (!out.includes(submission._id)) out.push(await end(await executor.take("java")));
  });
});

describe("a paused problem", () => {
  it("takes submissions and sends none out, on any server, until it is resumed; others pass", async () => {
    const problem = "stopped" as ProblemId;
    await putProblem(server.store, problem);
    const submit = (to: Server, of: ProblemId = problem) =>
      accepted(to, { owner: "keen", language: "kotlin", problem: of });
    const executor = wire.executor("e1");
    const end = async (): Promise<SubmissionId> => {
      const held = await executor.take("kotlin");
      await executor.emit(held, 1, { type: "finished", result: { verdict: "AC" } });
      await executor.ack(held);
      return held.job.submission;
    };
    // One more than may be out at once: it is in line when the pause comes.
    const before: SubmissionId[] = [];
    for (let i = 0; i <= WINDOW; i++) before.push((await submit(server)).submission._id);
    const inLine = before.at(-1);
    await server.store.problemPauses.put({
      _id: problem,
      reason: "wrong answers",
      by: "chief",
      at: new Date(),
    });
    const reason = "the problem stopped is paused: wrong answers";
    const judgement = inLine && (await server.store.judgements.get(judgementId(inLine, 1)));
    if (judgement === undefined || inLine === undefined) throw new Error("it is not there");
    for (const one of [server, other]) {
      await eventually(
        async () => (await one.backbone.waitOf(judgement))?.reason,
        (told) => told === reason,
      );
    }
    const after = await submit(other);
    expect(await other.backbone.waitOf(after.judgement)).toMatchObject({ waitMs: undefined, reason });
    // What is out is finished; the place that comes free is another problem's.
    for (let i = 0; i < WINDOW; i++) expect(before).toContain(await end());
    const { submission: passing } = await submit(server, PROBLEM);
    expect(await end()).toBe(passing._id);
    await eventually(
      () => server.store.held.parkedCount(problem),
      (count) => count === 2,
    );
    expect(await executor.pull("kotlin")).toBeUndefined();

    expect(await server.store.problemPauses.remove(problem)).toBe(true);
    expect([await end(), await end()].toSorted()).toEqual([inLine, after.submission._id].toSorted());
    expect(await server.store.held.parked()).toEqual([]);
  });
});
