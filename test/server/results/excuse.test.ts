import { describe, expect, it } from "vitest";
import { excuse } from "../../../src/server/results/excuse.ts";
import type { Try } from "../../../src/server/store/documents.ts";
import type { ExecutorId } from "../../../src/shared/ids.ts";
import { encodeJson } from "../../../src/shared/nats.ts";
import type { Presence } from "../../../src/shared/protocol.ts";
import { subjects } from "../../../src/shared/topology.ts";
import { namespace } from "../../support/namespace.ts";
import { accepted, eventually, openSuite, until } from "../rig.ts";

const ns = namespace();

const { server, wire } = await openSuite(ns);

/** Says that the process of an executor is there, by a clock that is ahead of what this machine can wait for. */
async function present(id: string, startedAtMs: number): Promise<void> {
  const presence: Presence = {
    executor: id as ExecutorId,
    pool: "test",
    languages: [{ id: "python", version: "3" }],
    notOffered: [],
    lanes: ["practice"],
    slots: 1,
    running: [],
    state: "ready",
    version: "0",
    startedAtMs,
  };
  wire.connection.publish(subjects.presence(ns.topology, presence.executor), encodeJson(presence));
  await eventually(
    async () => server.backbone.executors().find((one) => one.executor === id),
    (found) => found?.startedAtMs === startedAtMs,
  );
}

/** Eight executors after another start the job and are not heard of again about it. */
async function silent(after: (id: string, startedAtMs: number) => Promise<void>) {
  const { submission } = await accepted(server);
  const started = Date.now() - 100_000;
  for (let i = 1; i <= 8; i++) {
    const id = `cut${i}`;
    const held = await wire.executor(id).take();
    if (held.job.submission !== submission._id) throw new Error("another job");
    // Their clocks go slow by a minute: the successors have begun long ago.
    const { submission: of, generation, dispatch, kind, capability } = held.job;
    const atMs = Date.now() - 60_000 + i;
    const fence = { generation, dispatch, delivery: held.delivery };
    const event = { v: 1, kind, submission: of, ...fence, executor: id, seq: 1, atMs, capability };
    const subject = subjects.event(ns.topology, id as ExecutorId, of);
    await wire.js.publish(subject, encodeJson({ ...event, type: "started" }));
    const now = await until(
      server,
      of,
      ({ judgement }) => judgement.delivery === i || judgement.state === "FAILED",
    );
    if (now.judgement.state === "FAILED") return now.judgement;
    await after(id, started);
    await wire.executor(id).nak(held);
  }
  const held = await wire.executor("last").take();
  await wire.executor("last").emit(held, 1, { type: "finished", result: { verdict: "AC", tests: [] } });
  await wire.executor("last").ack(held);
  return (await until(server, submission._id, ({ judgement }) => judgement.state === "FINISHED")).judgement;
}

describe("holders that were replaced without a word", () => {
  it("burn no tries when their processes live on: it was an outage", async () => {
    const judgement = await silent(present);
    expect(judgement.tries).toHaveLength(9);
    expect(judgement.tries.slice(0, 7).map((one) => one.end?.type)).toEqual(
      Array.from({ length: 7 }, () => "released"),
    );
    expect(judgement.tries[0]?.end?.message).toContain("lives on");
  });

  it("burn tries when they are not heard of, or only as new processes", async () => {
    const restarted = await silent((id) => present(id, Date.now()));
    expect(restarted).toMatchObject({ state: "FAILED", deadLetter: { code: "TRIES_EXHAUSTED" } });
    expect(restarted.tries).toHaveLength(6);
  });
});

describe("excuse", () => {
  const at = (seconds: number): Date => new Date(seconds * 1_000);
  const one = (delivery: number, more: Partial<Try> = {}): Try => ({
    dispatch: 1,
    delivery,
    executor: `e${delivery}` as ExecutorId,
    startedAt: at(delivery * 100),
    ...more,
  });
  const heard = (startedAt: number, heardAt: number) => () => ({
    startedAtMs: startedAt * 1_000,
    heardAtMs: heardAt * 1_000,
  });

  it("needs the same process, heard after its successor began", () => {
    const tries = [one(1), one(2)];
    expect(excuse(tries, heard(50, 300))[0]?.end?.type).toBe("released");
    expect(excuse(tries, heard(150, 300))).toBe(tries);
    expect(excuse(tries, heard(50, 200))).toBe(tries);
    expect(excuse(tries, () => undefined)).toBe(tries);
  });

  it("leaves alone the newest holder and those that said how it ended", () => {
    const ended = [one(1, { end: { type: "fault", at: at(110), code: "INTERNAL" } }), one(2)];
    expect(excuse(ended, heard(50, 900))).toBe(ended);
    expect(excuse([one(1)], heard(50, 900))).toEqual([one(1)]);
  });
});
