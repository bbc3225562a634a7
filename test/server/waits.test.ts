import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Wait } from "../../src/server/intake/outcome.ts";
import { encodeJson } from "../../src/shared/nats.ts";
import type { Presence } from "../../src/shared/protocol.ts";
import type { ExecutorId } from "../../src/shared/ids.ts";
import type { Lane } from "../../src/shared/lane.ts";
import { subjects } from "../../src/shared/topology.ts";
import { namespace } from "../support/namespace.ts";
import { accepted, eventually, type Held, openSuite, program, until } from "./rig.ts";

const ns = namespace();
const SERVICE_MS = 1_000;
let presence: NodeJS.Timeout;

const HEARD: Presence = {
  executor: "e1" as ExecutorId,
  pool: "test",
  languages: [
    { id: "python", version: "3" },
    { id: "rust", version: "1" },
  ],
  notOffered: [{ id: "go", reason: "not installed: apt install golang" }],
  lanes: ["contest", "practice"],
  slots: 2,
  running: [],
  state: "ready",
  version: "0",
  startedAtMs: Date.now(),
};

const { server, wire } = await openSuite(ns, {
  limits: { ownerWindow: 4, practiceSoftWaitMs: 3_000, practiceHardWaitMs: 6_000 },
});
beforeAll(async () => {
  const say = (): void =>
    wire.connection.publish(subjects.presence(ns.topology, HEARD.executor), encodeJson(HEARD));
  say();
  presence = setInterval(say, 500);
  await eventually(
    async () => server.backbone.executors(),
    (all) => all.length === 1,
  );
});
afterAll(() => clearInterval(presence));

/** Ends a job as if it had taken a second on the executor. */
async function judge(held: Held): Promise<void> {
  const executor = wire.executor("e1");
  const at = Date.now();
  await executor.emit(held, 1, { type: "started", atMs: at } as never);
  await executor.emit(held, 2, {
    type: "finished",
    result: { verdict: "AC" },
    atMs: at + SERVICE_MS,
  } as never);
  await executor.ack(held);
  await until(server, held.job.submission, ({ judgement }) => judgement.state === "FINISHED");
}

const waitOf = async (id: string): Promise<Wait | undefined> => {
  const snapshot = await server.store.snapshots.get(id as never);
  return snapshot && (await server.backbone.waitOf(snapshot.judgement));
};

describe("something that waits", () => {
  it("stands in a place, with a time from what such jobs took; a flood behind the others", async () => {
    for (let i = 0; i < 4; i++) {
      await accepted(server, { owner: "first" });
      await judge(await wire.executor("e1").take());
    }
    const flood: string[] = [];
    // 4 and one for each of the two slots go into the queue, the rest into line.
    for (let i = 0; i < 12; i++) flood.push((await accepted(server, { owner: "flood" })).submission._id);
    const guest = (await accepted(server, { owner: "guest" })).submission._id;
    const found = await eventually(
      () => Promise.all([flood[0] ?? "", flood[11] ?? "", guest].map(waitOf)),
      ([first, last, third]) =>
        first?.position === 1 && last?.position === 13 && third?.position === 7 && last.waitMs !== undefined,
    );
    const [first, last, third] = found.map((wait) => wait?.waitMs ?? -1);
    const near = (jobs: number): [number, number] => [jobs * 450, jobs * 550 + 300];
    expect(first).toBeLessThanOrEqual(300);
    for (const [wait, ahead] of [
      [third, 6],
      [last, 12],
    ] as const) {
      const [least, most] = near(ahead);
      expect(wait).toBeGreaterThanOrEqual(least);
      expect(wait).toBeLessThanOrEqual(most);
    }
    // One that runs does not wait.
    const held = await wire.executor("e1").take();
    await wire.executor("e1").emit(held, 1, { type: "started" });
    await until(server, held.job.submission, ({ judgement }) => judgement.state === "RUNNING");
    expect(await waitOf(held.job.submission)).toBeUndefined();
  });

  it("is told that it will take long, and refused when it would take too long, each owner for himself", async () => {
    const outcomes = await eventually(
      async () => {
        const outcome = await server.backbone.submit(program({ owner: "flood" }));
        return outcome.type === "refused" ? outcome : undefined;
      },
      (refused) => refused !== undefined,
    );
    expect(outcomes).toMatchObject({ code: "QUEUE_SATURATED", limit: 6_000 });
    expect(outcomes?.retryAfterMs).toBeGreaterThanOrEqual(1_000);
    const guest = await server.backbone.submit(program({ owner: "other" }));
    expect(guest).toMatchObject({ type: "accepted", delayedFeedback: true });
    // A contest has its own room, however much practice waits.
    const lane: Lane = "contest";
    const contest = await server.backbone.submit(program({ owner: "flood", role: "jury", lane }));
    expect(contest).toMatchObject({ type: "accepted", delayedFeedback: false });
  });

  it("says why nobody takes it", async () => {
    const rust = await accepted(server, { owner: "x", language: "rust" });
    expect((await waitOf(rust.submission._id))?.reason).toBeUndefined();
    const custom = await accepted(server, { owner: "x", role: "jury", lane: "custom" });
    await eventually(
      () => waitOf(custom.submission._id),
      (wait) => wait?.reason === "no executor that offers python takes the lane custom",
      20_000,
    );
  });
});
