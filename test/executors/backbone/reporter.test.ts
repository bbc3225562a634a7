import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { opener } from "./inprocess.ts";
import { openStage, type Stage, temporaryFolder } from "./stage.ts";
import { namespace } from "../../support/namespace.ts";
import { eventStreamConfig, eventStreamOf, subjects } from "../../../src/shared/topology.ts";

const { natsUrl, topology } = namespace();
const folder = temporaryFolder();
let stage: Stage;
const open = opener(natsUrl, topology, folder, "reporter");

const seen: Stage["seen"] = (...args) => stage.seen(...args);
const gone = () => expect.poll(() => stage.waiting()).toBe(0);

beforeAll(async () => {
  stage = await openStage(natsUrl, topology);
});
afterAll(() => stage.close());

test("reports start, states and the end, numbered, and acknowledges after it", async () => {
  await open();
  const submission = await stage.putJob({ ms: 1_000 }, { generation: 3, dispatch: 2, capability: "mine" });
  await seen(submission, "finished");
  await gone();
  const events = stage.ofSubmission(submission);
  expect(events.map((event) => event.type)).toEqual(["started", "compiled", "finished"]);
  const first = events[0]?.seq ?? 0;
  expect(Math.abs(first - Date.now())).toBeLessThan(10_000);
  expect(events.map((event) => event.seq - first)).toEqual([0, 1, 2]);
  for (const event of events) {
    expect(event).toMatchObject({
      generation: 3,
      dispatch: 2,
      delivery: 1,
      capability: "mine",
      kind: "sleep",
    });
  }
});

test("progress goes out at most five times a second, and only the newest of it", async () => {
  await open();
  const submission = await stage.putJob({ progress: 500, ms: 1_000 });
  await seen(submission, "finished");
  const progress = stage.ofSubmission(submission).filter((event) => event.type === "progress");
  expect(progress.length).toBeGreaterThan(0);
  expect(progress.length).toBeLessThanOrEqual(6);
  expect(progress.at(-1)).toMatchObject({ result: { done: 500 } });
});

test("texts of a result too large for an event are cut, its verdict is not", async () => {
  await open();
  const submission = await stage.putJob({ textCharacters: 3_000_000 });
  const event = await seen(submission, "finished");
  expect(event).toMatchObject({ result: { verdict: "AC" } });
  expect(JSON.stringify(event).length).toBeLessThan(10_000);
  await gone();
});

test.each(["full", "gone"])(
  "while the event stream is %s the job is held, nothing more is pulled, and nothing is lost",
  async (how) => {
    const { streams } = await jetstreamManager(stage.nats);
    const name = eventStreamOf(topology);
    const config = eventStreamConfig(topology);
    const begun: string[] = [];
    const executor = await open({ begun: (submission) => begun.push(submission) }, { DOCKET_SLOTS: "1" });
    const running = await stage.putJob({ ms: 300 });
    await seen(running, "compiled");
    if (how === "gone") await streams.delete(name);
    else await streams.update(name, { ...config, max_msgs: (await streams.info(name)).state.messages });
    await seen(running, "finished");
    await expect
      .poll(() => executor.ready(), { timeout: 10_000 })
      .toMatchObject({ state: "unhealthy", reason: expect.stringContaining("event stream") as string });
    const other = await stage.putJob({});
    expect(begun).toEqual([running]);
    expect(await stage.waiting()).toBe(2);
    await (how === "gone" ? streams.add(config) : streams.update(name, { ...config, max_msgs: -1 }));
    await seen(other, "finished");
    await gone();
    expect(begun).toEqual([running, other]);
    expect(await executor.ready()).toMatchObject({ state: "ready" });
    for (const submission of [running, other]) {
      const subject = subjects.event(topology, executor.id, submission);
      const stored = await streams.getMessage(name, { last_by_subj: subject });
      expect(stored?.json()).toMatchObject({ type: "finished" });
    }
  },
);
