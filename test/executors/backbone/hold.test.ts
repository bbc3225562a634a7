import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";

import { opener } from "./inprocess.ts";

import { openStage, type Stage, temporaryFolder } from "./stage.ts";
import { namespace } from "../../support/namespace.ts";
import { decodeJson, encodeJson } from "../../../src/shared/nats.ts";
import { FenceCheck, Presence } from "../../../src/shared/protocol.ts";
import { streamOf, subjects } from "../../../src/shared/topology.ts";
import { ExecutorId, newSubmissionId, type SubmissionId } from "../../../src/shared/ids.ts";

const { natsUrl, topology } = namespace();
const folder = temporaryFolder();
let stage: Stage;
const open = opener(natsUrl, topology, folder, "hold");

const seen: Stage["seen"] = (...args) => stage.seen(...args);
const typesOf = (submission: SubmissionId) => stage.ofSubmission(submission).map((event) => event.type);
const gone = () => expect.poll(() => stage.waiting()).toBe(0);

beforeAll(async () => {
  stage = await openStage(natsUrl, topology);
});
afterAll(() => stage.close());

test("a job cancelled in mid-run stops within 100 ms and leaves no further event", async () => {
  let endedAtMs = Infinity;
  const { id } = await open({ ended: () => (endedAtMs = performance.now()) });
  const submission = await stage.putJob({ ms: 20_000 });
  await seen(submission, "compiled");
  const askedAtMs = performance.now();
  const cancel = { type: "cancel", submission, generation: 1 };
  stage.nats.publish(subjects.control(topology, id), encodeJson({ ...cancel, generation: 2 }));
  stage.nats.publish(subjects.control(topology, id), encodeJson(cancel));
  await gone();
  expect(endedAtMs - askedAtMs).toBeLessThan(100);
  expect(typesOf(submission)).toEqual(["started", "compiled"]);
});

test("a holder whose fence is not current drops the job without running it", async () => {
  const begun: string[] = [];
  const stale = newSubmissionId(Date.now());
  const checks: unknown[] = [];
  const answering = stage.nats.subscribe(subjects.fenceCheck(topology), {
    callback: (_error, message) => {
      const asked = decodeJson(FenceCheck, message.data) ?? [];
      checks.push(...asked);
      message.respond(encodeJson({ current: asked.map((one) => one.submission !== stale) }));
    },
  });
  onTestFinished(() => answering.unsubscribe());
  await open({ begun: (submission) => begun.push(submission) });
  await stage.putJob({}, { submission: stale, dispatch: 4 });
  const current = await stage.putJob({});
  await seen(current, "finished");
  await gone();
  expect(begun).toEqual([current]);
  expect(typesOf(stale)).toEqual([]);
  expect(checks).toContainEqual({ submission: stale, generation: 1, dispatch: 4, delivery: 1 });
});

test("a new job begins before the answer, and says nothing once it turns out not to be current", async () => {
  const stale = newSubmissionId(Date.now());
  const stopped: unknown[] = [];
  const answering = stage.nats.subscribe(subjects.fenceCheck(topology), {
    callback: (_error, message) => {
      const asked = decodeJson(FenceCheck, message.data) ?? [];
      message.respond(encodeJson({ current: asked.map((one) => one.submission !== stale) }));
    },
  });
  onTestFinished(() => answering.unsubscribe());
  await open({ stopped: (reason) => stopped.push(reason) });
  await stage.putJob({ ms: 60_000 }, { submission: stale });
  await gone();
  await seen(await stage.putJob({}), "finished");
  expect(stopped).toEqual(["stale"]);
  expect(typesOf(stale)).toEqual([]);
});

test("a job that comes again after its final event was stored is dropped, not run again", async () => {
  const submission = await stage.putJob({});
  // The holder that died between its final event and the acknowledgement, as the queue and the server see it.
  const pull = `$JS.API.CONSUMER.MSG.NEXT.${streamOf(topology, "python")}.practice`;
  const delivered = await stage.nats.request(pull, JSON.stringify({ batch: 1, no_wait: true }), {
    noMux: true,
    timeout: 2_000,
  });
  const checks: unknown[] = [];
  const answering = stage.nats.subscribe(subjects.fenceCheck(topology), {
    callback: (_error, message) => {
      checks.push(...(decodeJson(FenceCheck, message.data) ?? []));
      message.respond(encodeJson({ current: [false] }));
    },
  });
  onTestFinished(() => answering.unsubscribe());
  const begun: string[] = [];
  await open({ begun: (one) => begun.push(one) });
  stage.nats.publish(delivered.reply ?? "", "-NAK");
  await gone();
  expect(checks).toEqual([{ submission, generation: 1, dispatch: 1, delivery: 2 }]);
  expect(begun).toEqual([]);
  expect(typesOf(submission)).toEqual([]);
});

test("a job of a queue that was lost and made anew ends, and its slot takes the next one", async () => {
  await open({}, { DOCKET_SLOTS: "1" });
  const lost = await stage.putJob({ ms: 500 });
  await seen(lost, "compiled");
  await stage.makeAnew("python");
  const next = await stage.putJob({});
  // Its result counts, though the new consumer never confirms its acknowledgement.
  await seen(lost, "finished");
  await seen(next, "finished");
  await gone();
});

test("a fault goes back with a delay; one that no retry can help is acknowledged", async () => {
  await open();
  const again = await stage.putJob({ fault: "SANDBOX_FAILED" });
  const first = await seen(again, "fault");
  const second = await stage.until((events) =>
    events.find((e) => e.submission === again && e.type === "fault" && e.delivery === 2),
  );
  expect(second.atMs - first.atMs).toBeGreaterThanOrEqual(950);
  await (await jetstreamManager(stage.nats)).streams.purge(streamOf(topology, "python"));
  const never = await stage.putJob({ fault: "VALIDATOR_FAILED", retry: false });
  expect(await seen(never, "fault")).toMatchObject({ fault: { code: "VALIDATOR_FAILED", retry: false } });
  await gone();
});

test("what the kind of work throws is a fault of ours", async () => {
  await open();
  const submission = await stage.putJob({ throws: "boom".repeat(5_000) });
  const event = await seen(submission, "fault");
  // Cut to what the protocol takes, or it would be lost at the other end.
  expect(event).toMatchObject({
    fault: { code: "INTERNAL", message: "boom".repeat(500), retry: true, shared: false },
  });
  await (await jetstreamManager(stage.nats)).streams.purge(streamOf(topology, "python"));
});

test("a job past its deadline is stopped and reported", async () => {
  let endedAtMs = Infinity;
  await open({ ended: () => (endedAtMs = performance.now()) });
  const atMs = performance.now();
  const submission = await stage.putJob({ ms: 20_000 }, { deadlineMs: 300 });
  expect(await seen(submission, "fault")).toMatchObject({ fault: { code: "DEADLINE_EXCEEDED" } });
  expect(endedAtMs - atMs).toBeLessThan(3_000);
  await (await jetstreamManager(stage.nats)).streams.purge(streamOf(topology, "python"));
});

test("a malformed job is taken out, or reported when it says whose it is; an unknown kind is a fault", async () => {
  await open();
  const unreadable = newSubmissionId(Date.now());
  stage.nats.publish(subjects.job(topology, "python", "practice", unreadable), "{not json");
  await gone();
  const readable = newSubmissionId(Date.now());
  stage.nats.publish(
    subjects.job(topology, "python", "practice", readable),
    encodeJson({ v: 99, kind: "sleep", submission: readable, generation: 1, dispatch: 1, capability: "c" }),
  );
  expect(await seen(readable, "fault")).toMatchObject({ fault: { code: "JOB_MALFORMED" } });
  const unknown = await stage.putJob({}, { kind: "dance" });
  expect(await seen(unknown, "fault")).toMatchObject({ fault: { code: "JOB_MALFORMED" } });
  expect(typesOf(unreadable)).toEqual([]);
  await (await jetstreamManager(stage.nats)).streams.purge(streamOf(topology, "python"));
});

test("a language that keeps failing is taken out until its self-test passes", async () => {
  let works = false;
  const said: Presence[] = [];
  const listening = stage.nats.subscribe(subjects.presence(topology, ExecutorId.parse("hold-language-1")), {
    callback: (_error, message) => {
      const presence = decodeJson(Presence, message.data);
      if (presence !== undefined) said.push(presence);
    },
  });
  const openLanguage = opener(natsUrl, topology, folder, "hold-language");
  const executor = await openLanguage({}, { DOCKET_SLOTS: "1" }, (language) =>
    Promise.resolve(works ? { id: language, version: "mended" } : { id: language, reason: "still broken" }),
  );
  for (let i = 0; i < 3; i++) {
    await seen(await stage.putJob({ fault: "TOOLCHAIN_BROKEN", retry: false }), "fault");
  }
  await expect.poll(() => executor.ready()).toMatchObject({ state: "unhealthy" });
  await expect.poll(() => said.at(-1)).toMatchObject({ languages: [], notOffered: [{ id: "python" }] });
  const waiting = await stage.putJob({});
  works = true;
  await seen(waiting, "finished");
  expect(said.at(-1)).toMatchObject({ languages: [{ id: "python", version: "mended" }], notOffered: [] });
  listening.unsubscribe();
});
