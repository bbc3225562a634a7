import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createOffer, type TestedLanguage } from "../../../src/executors/backbone/offer.ts";
import { FAULTS_IN_A_ROW, JOBS_IN_A_ROW } from "../../../src/executors/backbone/streaks.ts";
import type { ExecutorId, SubmissionId } from "../../../src/shared/ids.ts";
import type { QueueId } from "../../../src/shared/queue.ts";
import { createLog } from "../../../src/shared/log.ts";
import { encodeJson } from "../../../src/shared/nats.ts";
import type { Control, FaultCode } from "../../../src/shared/protocol.ts";
import { streamOf, subjects } from "../../../src/shared/topology.ts";
import { namespace } from "../../support/namespace.ts";
import { opener } from "./inprocess.ts";
import { openStage, type Stage, temporaryFolder } from "./stage.ts";

const { natsUrl, topology } = namespace();
const folder = temporaryFolder();
const LANGUAGES = ["python", "java", "c"] as const;
let stage: Stage;

beforeAll(async () => {
  stage = await openStage(natsUrl, topology, LANGUAGES);
});
afterEach(async () => {
  const manager = await jetstreamManager(stage.nats);
  for (const language of LANGUAGES) await manager.streams.purge(streamOf(topology, language));
});
afterAll(() => stage.close());

const open = opener(natsUrl, topology, folder, "offer");
const ENV = { DOCKET_SLOTS: "1", DOCKET_LANGUAGES: LANGUAGES.join(",") };

async function fails(language: QueueId, fault: FaultCode): Promise<SubmissionId> {
  const submission = await stage.putJob({ fault, retry: false }, { language });
  await stage.seen(submission, "fault");
  return submission;
}
const tell = (executor: ExecutorId, control: Control): void =>
  stage.nats.publish(subjects.control(topology, executor), encodeJson(control));

describe("an executor with trouble", () => {
  it("stops taking jobs of any language when its sandbox fails, and comes back with its self-test", async () => {
    const tested: QueueId[] = [];
    const executor = await open({}, ENV, (id) => {
      tested.push(id);
      return Promise.resolve({ id, version: "mended" });
    });
    for (const language of LANGUAGES) await fails(language, "SANDBOX_FAILED");
    const out = await executor.ready();
    expect(out).toMatchObject({ state: "unhealthy", reason: expect.stringContaining("no language") });
    const metric = await executor.registry.getSingleMetric("docket_executor_language_taken_out")?.get();
    expect(metric?.values.map(({ value }) => value)).toEqual([1, 1, 1]);
    await Promise.all(
      LANGUAGES.map(async (language) => stage.finished(await stage.putJob({}, { language }))),
    );
    expect(new Set(tested)).toEqual(new Set(LANGUAGES));
  });

  it("is put back by an operator's word at once, one language or all", async () => {
    const { id } = await open({}, ENV, (language) => Promise.resolve({ id: language, reason: "no" }));
    for (const language of LANGUAGES) await fails(language, "SANDBOX_FAILED");
    const waiting = await Promise.all(LANGUAGES.map((language) => stage.putJob({}, { language })));
    tell(id, { type: "reinstate", language: "java" });
    await stage.finished(waiting[1] as SubmissionId);
    expect(stage.ofSubmission(waiting[0] as SubmissionId)).toEqual([]);
    tell(id, { type: "reinstate" });
    await Promise.all(waiting.map((submission) => stage.finished(submission)));
  });

  it("takes a language out that fails job after job by a mistake of ours, not for one job alone", async () => {
    const executor = await open({}, { ...ENV, DOCKET_LANGUAGES: "python" }, (id) =>
      Promise.resolve({ id, reason: "no" }),
    );
    for (let i = 1; i < JOBS_IN_A_ROW; i++) await fails("python", "INTERNAL");
    await stage.finished(await stage.putJob({}));
    for (let i = 1; i < JOBS_IN_A_ROW; i++) await fails("python", "INTERNAL");
    expect(await executor.ready()).toMatchObject({ state: "ready" });
    await fails("python", "INTERNAL");
    await expect.poll(() => executor.ready()).toMatchObject({ state: "unhealthy" });
  });
});

describe("a language whose self-test passes while its jobs fail", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  const offerOf = (retest: (id: QueueId) => Promise<TestedLanguage>) =>
    createOffer({
      tested: [
        { id: "python", version: "1" },
        { id: "rust", reason: "not installed" },
      ],
      retest,
      log: createLog("executor", "silent"),
    });
  const failTimes = (offer: ReturnType<typeof offerOf>, jobs: readonly string[]): void => {
    for (const job of jobs) offer.note("python", "TOOLCHAIN_BROKEN", job);
  };
  const three = ["a", "b", "c"].slice(0, FAULTS_IN_A_ROW);

  it("waits longer each time, and then for a person", async () => {
    vi.useFakeTimers();
    const offer = offerOf((id) =>
      Promise.resolve(id === "rust" ? { id, reason: "not installed" } : { id, version: "2" }),
    );
    await offer.start();
    for (const waitMs of [1_000, 5_000, 15_000]) {
      failTimes(offer, three);
      expect([offer.has("python"), offer.takenOut("python")]).toEqual([false, true]);
      await vi.advanceTimersByTimeAsync(waitMs - 10);
      expect(offer.has("python")).toBe(false);
      await vi.advanceTimersByTimeAsync(20);
      expect(offer.has("python")).toBe(true);
    }
    failTimes(offer, three);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(offer.notOffered()).toContainEqual({
      id: "python",
      reason: expect.stringContaining("docket reinstate"),
    });
    offer.reinstate("python");
    expect(offer.offered()).toEqual([{ id: "python", version: "2" }]);
    expect(offer.takenOut("rust")).toBe(false);
    await offer.stop();
  });

  it("begins anew with a good job in between", async () => {
    vi.useFakeTimers();
    const offer = offerOf((id) => Promise.resolve({ id, version: "2" }));
    await offer.start();
    for (let i = 0; i < 10; i++) {
      failTimes(offer, three);
      expect(offer.has("python")).toBe(false);
      await vi.advanceTimersByTimeAsync(1_010);
      offer.note("python", undefined, "good");
      expect(offer.has("python")).toBe(true);
    }
    await offer.stop();
  });

  it("is not blamed for what is no fault of this executor", () => {
    const offer = offerOf((id) => Promise.resolve({ id, version: "2" }));
    for (let i = 0; i < 20; i++) {
      offer.note("python", "BLOB_UNAVAILABLE", `blob-${i}`);
      offer.note("python", "VALIDATOR_FAILED", `validator-${i}`);
      offer.note("python", "INTERNAL", "one and the same");
    }
    expect(offer.has("python")).toBe(true);
  });
});
