import { readFileSync } from "node:fs";
import { join } from "node:path";
import { decodeJson, encodeJson } from "../../../src/shared/nats.ts";
import { type FenceAnswer, FenceCheck } from "../../../src/shared/protocol.ts";
import { ACK_WAIT_MS, streamOf, subjects } from "../../../src/shared/topology.ts";
import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { namespace } from "../../support/namespace.ts";
import {
  type ExecutorProcess,
  executorEnv,
  openStage,
  type Stage,
  startExecutorProcess,
  temporaryFolder,
} from "./stage.ts";

const { natsUrl, topology } = namespace();
const folder = temporaryFolder();
let stage: Stage;
let processes: ExecutorProcess[] = [];

beforeAll(async () => {
  stage = await openStage(natsUrl, topology);
});
afterEach(async () => {
  for (const { child } of processes) child.kill("SIGKILL");
  await Promise.all(processes.map((one) => one.exited));
  processes = [];
  // What a killed one held would come back into the next test.
  const { streams } = await jetstreamManager(stage.nats);
  await streams.purge(streamOf(topology, "python"));
});
afterAll(() => stage.close());

const start = async (id: string, more: Record<string, string> = {}): Promise<ExecutorProcess> => {
  const one = await startExecutorProcess(
    executorEnv(natsUrl, topology, { id, workDir: join(folder(), id), ...more }),
  );
  processes.push(one);
  return one;
};

test("a job killed with its executor is finished by another one within 15 s, once", async () => {
  const first = await start("kill-a");
  const submission = await stage.putJob({ ms: 3_000 });
  await stage.until((events) => events.find((e) => e.submission === submission && e.type === "started"));
  await start("kill-b");
  const killedAtMs = Date.now();
  first.kill("SIGKILL");
  const finished = await stage.finished(submission, 15_000);
  expect(finished).toMatchObject({ executor: "kill-b", delivery: 2 });
  expect(Date.now() - killedAtMs).toBeLessThan(15_000);
  expect(stage.ofSubmission(submission).filter((e) => e.type === "finished")).toHaveLength(1);
  await expect.poll(() => stage.waiting()).toBe(0);
});

test.each([
  ["as soon as a job has come", "hold.afterDelivery", []],
  ["before the final event", "hold.beforeFinal", ["started"]],
])("an executor that dies %s: another one runs the job, once", async (_when, place, before) => {
  const id = place.toLowerCase().replace(".", "-");
  const dying = await start(`${id}-a`, { DOCKET_CRASH_AT: place });
  const submission = await stage.putJob({ ms: 300 });
  expect((await dying.exited).signal).toBe("SIGKILL");
  const told = stage.ofSubmission(submission).map(({ type }) => type);
  expect(told.slice(0, 1)).toEqual(before);
  expect(told).not.toContain("finished");
  await start(`${id}-b`);
  expect(await stage.finished(submission, 15_000)).toMatchObject({ executor: `${id}-b`, delivery: 2 });
  await expect.poll(() => stage.waiting()).toBe(0);
});

test("an executor that dies between the final event and the acknowledgement: nobody runs the job again", async () => {
  const dying = await start("final-a", { DOCKET_CRASH_AT: "hold.afterFinal" });
  const answering = stage.nats.subscribe(subjects.fenceCheck(topology), {
    callback: (_error, message) => {
      const asked = decodeJson(FenceCheck, message.data) ?? [];
      const current = asked.map(({ delivery }) => delivery === 1);
      message.respond(encodeJson({ current } satisfies FenceAnswer));
    },
  });
  const submission = await stage.putJob({});
  expect((await dying.exited).signal).toBe("SIGKILL");
  await stage.finished(submission);
  expect(await stage.waiting()).toBe(1);
  await start("final-b");
  await expect.poll(() => stage.waiting(), { timeout: 15_000 }).toBe(0);
  answering.unsubscribe();
  expect(stage.ofSubmission(submission).filter(({ executor }) => executor === "final-b")).toEqual([]);
});

test("an executor stopped beyond its lease and continued sends nothing more for its job", async () => {
  const first = await start("zombie-a");
  const submission = await stage.putJob({ ms: ACK_WAIT_MS + 4_000 });
  await stage.until((events) => events.find((e) => e.submission === submission && e.type === "compiled"));
  first.kill("SIGSTOP");
  await start("zombie-b");
  await stage.until((events) => events.find((e) => e.submission === submission && e.executor === "zombie-b"));
  const before = stage.ofSubmission(submission).filter((e) => e.executor === "zombie-a").length;
  first.kill("SIGCONT");
  const finished = await stage.finished(submission, 30_000);
  expect(finished).toMatchObject({ executor: "zombie-b", delivery: 2 });
  await expect.poll(() => stage.waiting()).toBe(0);
  const ofZombie = stage.ofSubmission(submission).filter((e) => e.executor === "zombie-a");
  expect(ofZombie).toHaveLength(before);
  expect(first.log.some((line) => line.includes("lease lost"))).toBe(true);
  // It is fit for the next job.
  processes.find((one) => one !== first)?.kill("SIGKILL");
  expect(await stage.finished(await stage.putJob({}))).toMatchObject({ executor: "zombie-a", delivery: 1 });
  await expect.poll(() => stage.waiting()).toBe(0);
}, 60_000);

test("an executor told to stop finishes what it can within the grace time, and takes nothing more", async () => {
  const one = await start("drain-a", { DOCKET_SLOTS: "1" });
  const running = await stage.putJob({ ms: 1_500 });
  await stage.until((events) => events.find((e) => e.submission === running && e.type === "started"));
  const next = await stage.putJob({});
  const toldAtMs = Date.now();
  one.kill("SIGTERM");
  expect(await one.exited).toEqual({ code: 0, signal: null });
  expect(Date.now() - toldAtMs).toBeLessThan(5_000);
  expect(stage.ofSubmission(running).map((e) => e.type)).toEqual(["started", "compiled", "finished"]);
  expect(stage.ofSubmission(next)).toEqual([]);
  expect(await stage.waiting()).toBe(1);
  await start("drain-b");
  expect(await stage.finished(next)).toMatchObject({ executor: "drain-b", delivery: 1 });
});

test("an executor told to stop while it opens does not begin to work", async () => {
  const submission = await stage.putJob({});
  await expect(start("opening-a", { TEST_STOP_WHILE_OPENING: "1" })).rejects.toThrow(
    "ended with code 0 before it was ready",
  );
  expect(stage.ofSubmission(submission)).toEqual([]);
});

test("what does not finish within the grace time goes back at once, and is no fault", async () => {
  const one = await start("release-a", { DOCKET_GRACE_MS: "4000" });
  const stoppedFile = join(folder(), "stopped");
  const submission = await stage.putJob({ ms: 60_000, stoppedFile });
  await stage.until((events) => events.find((e) => e.submission === submission && e.type === "compiled"));
  await start("release-b");
  one.kill("SIGTERM");
  const released = await stage.until((events) =>
    events.find((e) => e.submission === submission && e.type === "released"),
  );
  const again = await stage.until((events) =>
    events.find((e) => e.submission === submission && e.executor === "release-b"),
  );
  expect(await one.exited).toEqual({ code: 0, signal: null });
  expect(readFileSync(stoppedFile, "utf8")).toBe("draining");
  expect(again).toMatchObject({ type: "started", delivery: 2 });
  expect(again.atMs - released.atMs).toBeLessThan(1_500);
});

test("a second signal forces the end", async () => {
  const one = await start("force-a");
  const submission = await stage.putJob({ ms: 60_000 });
  await stage.until((events) => events.find((e) => e.submission === submission && e.type === "compiled"));
  one.kill("SIGTERM");
  await expect.poll(() => one.log.some((line) => line.includes("draining"))).toBe(true);
  const atMs = Date.now();
  one.kill("SIGTERM");
  expect(await one.exited).toEqual({ code: 130, signal: null });
  expect(Date.now() - atMs).toBeLessThan(2_000);
});

test("work that does not stop keeps its slot, and in the end the process makes room for a new one", async () => {
  const one = await start("stuck-a", { DOCKET_SLOTS: "1", DOCKET_GRACE_MS: "3000" });
  const submission = await stage.putJob({ ms: 60_000, stubborn: true }, { deadlineMs: 200 });
  await stage.seen(submission, "fault");
  const ready = await fetch(`${one.url}/readyz`);
  expect([ready.status, await ready.text()]).toEqual([503, expect.stringContaining("does not stop")]);
  const other = await stage.putJob({});
  expect((await one.exited).code).toBe(1);
  expect(stage.ofSubmission(other)).toEqual([]);
  const { streams } = await jetstreamManager(stage.nats);
  const filter = subjects.job(topology, "python", "practice", submission);
  await streams.purge(streamOf(topology, "python"), { filter });
  await start("stuck-b");
  await stage.finished(other);
}, 60_000);

test("every wrong setting is named at once, with exit code 78", async () => {
  const env = {
    ...executorEnv(natsUrl, topology, { id: "Bad Id", workDir: "relative" }),
    DOCKET_LANES: "slow",
  };
  const failure = await startExecutorProcess({ ...env, DOCKET_LIMIT_BLOB_CACHE_BYTES: "-1" }).catch(
    (error: unknown) => String(error),
  );
  for (const name of [
    "DOCKET_EXECUTOR_ID",
    "DOCKET_WORK_DIR",
    "DOCKET_LANES",
    "DOCKET_LIMIT_BLOB_CACHE_BYTES",
  ]) {
    expect(failure).toContain(name);
  }
  expect(failure).toContain("code 78");
});
