import { describe, expect, it } from "vitest";
import { namespace } from "../../support/namespace.ts";
import { accepted, openSuite, until } from "../rig.ts";

const ns = namespace();

const { server, wire } = await openSuite(ns);

const result = { verdict: "AC", testsTotal: 1, tests: [], cpuMs: 1, memoryKiB: 1 };

describe("the way of a submission", () => {
  it("goes from submit through the queue to a final snapshot", async () => {
    const { submission, judgement } = await accepted(server);
    expect(judgement.state).toBe("PENDING");
    const executor = wire.executor("e1");
    const held = await executor.take();
    expect(held.job).toMatchObject({ submission: submission._id, generation: 1, dispatch: 1, kind: "judge" });
    expect(held.delivery).toBe(1);
    await executor.emit(held, 1, { type: "started" });
    await until(server, submission._id, (snapshot) => snapshot.judgement.state === "RUNNING");
    await executor.emit(held, 2, { type: "finished", result });
    await executor.ack(held);
    const last = await until(server, submission._id, (snapshot) => snapshot.judgement.state === "FINISHED");
    expect(last.judgement.result).toEqual(result);
    expect(last.judgement.tries).toMatchObject([{ executor: "e1", delivery: 1, end: { type: "finished" } }]);
  });

  it("does not end in a result that nobody can read: that is put aside, and the next word counts", async () => {
    const { submission } = await accepted(server);
    const executor = wire.executor("e1");
    const held = await executor.take();
    await executor.emit(held, 1, { type: "finished", result: { ...result, verdict: null } });
    await executor.emit(held, 2, { type: "finished", result: "accepted, believe me" });
    await executor.emit(held, 3, { type: "finished", result: undefined });
    await executor.emit(held, 4, { type: "started" });
    await until(server, submission._id, (snapshot) => snapshot.judgement.state === "RUNNING");
    await executor.emit(held, 5, { type: "finished", result });
    await executor.ack(held);
    const last = await until(server, submission._id, (snapshot) => snapshot.judgement.state === "FINISHED");
    expect(last.judgement).toMatchObject({ seq: 5, result });
    const aside = async (): Promise<string[]> =>
      (await server.store.rejected.newest(10))
        .filter(({ place }) => place.endsWith(submission._id))
        .map(({ source, reason }) => `${source} ${reason}`);
    await expect.poll(aside).toEqual(["event malformed", "event malformed", "event malformed"]);
  });
});
