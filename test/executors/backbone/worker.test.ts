import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { namespace } from "../../support/namespace.ts";
import { openTestExecutor } from "./inprocess.ts";
import { createSleepKind, SLEEP_KIND } from "./sleepkind.ts";
import { executorEnv, openStage, type Stage, temporaryFolder } from "./stage.ts";
import type { LanguageId } from "../../../src/shared/language.ts";
import type { LentSlot, WorkKind } from "../../../src/executors/work.ts";
import type { SubmissionId } from "../../../src/shared/ids.ts";

const { natsUrl, topology } = namespace();
const folder = temporaryFolder();
let stage: Stage;
let count = 0;

const env = (more: Record<string, string> = {}): NodeJS.ProcessEnv => {
  const id = `worker-${++count}`;
  const workDir = join(folder(), id);
  mkdirSync(workDir);
  return executorEnv(natsUrl, topology, { id, workDir, ...more });
};

beforeAll(async () => {
  stage = await openStage(natsUrl, topology, ["python", "java", "c"]);
});
afterEach(async () => {
  // The acknowledgement follows the final event.
  for (const language of ["python", "java", "c"] as const) {
    await expect.poll(() => stage.waiting(language)).toBe(0);
  }
});
afterAll(() => stage.close());

/** Follows which jobs run; `order` is the order of their starts. */
function follow() {
  const order: string[] = [];
  const now = new Set<string>();
  let most = 0;
  const kind = createSleepKind({
    begun: (submission) => {
      order.push(submission);
      now.add(submission);
      most = Math.max(most, now.size);
    },
    ended: (submission) => now.delete(submission),
  });
  return { kind, order, now, most: () => most };
}

const allFinished = (submissions: readonly SubmissionId[]) =>
  Promise.all(submissions.map((submission) => stage.finished(submission)));

test("never holds more jobs than slots, and runs that many at once", async () => {
  const { kind, most } = follow();
  const submissions = await Promise.all(Array.from({ length: 20 }, () => stage.putJob({ ms: 30 })));
  await openTestExecutor(env({ DOCKET_SLOTS: "3" }), kind);
  const finished = await allFinished(submissions);
  expect(most()).toBe(3);
  const slots = new Set(
    finished.map((e) => (e.type === "finished" ? (e.result as { slot: number }).slot : -1)),
  );
  expect(slots).toEqual(new Set([0, 1, 2]));
  expect(finished.every((event) => event.delivery === 1)).toBe(true);
});

test("a slot that no job has is lent to one that can use more, and is the next job's as soon as that comes", async () => {
  const happened: string[] = [];
  const begun = Promise.withResolvers<LentSlot>();
  let jobs = 0;
  const kind: WorkKind = {
    kind: SLEEP_KIND,
    run: async (_, context) => {
      jobs += 1;
      happened.push(`job ${jobs} in slot ${context.slot}`);
      if (jobs > 1) return { type: "finished", result: { verdict: "AC" } };
      // None is free while a job for it may be on its way.
      let lent: LentSlot | undefined;
      while (lent === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        lent = context.lendSlot();
      }
      const { signal } = lent;
      begun.resolve(lent);
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      happened.push("called back");
      lent.giveBack();
      return { type: "finished", result: { verdict: "AC" } };
    },
  };
  await openTestExecutor(env({ DOCKET_SLOTS: "2" }), kind);
  const first = await stage.putJob({});
  expect((await begun.promise).slot).toBe(1);
  await allFinished([first, await stage.putJob({})]);
  expect(happened).toEqual(["job 1 in slot 0", "called back", "job 2 in slot 1"]);
});

test("takes the higher lane first, with every fifth turn for a lower one", async () => {
  const put = (lane: "contest" | "practice") => stage.putJob({}, { lane });
  const contest: SubmissionId[] = [];
  const practice: SubmissionId[] = [];
  for (let i = 0; i < 8; i++) contest.push(await put("contest"));
  for (let i = 0; i < 3; i++) practice.push(await put("practice"));
  const { kind, order } = follow();
  await openTestExecutor(env({ DOCKET_SLOTS: "1", DOCKET_LANES: "contest,practice" }), kind);
  await allFinished([...contest, ...practice]);
  const lanes = order
    .map((submission) => (contest.includes(submission as SubmissionId) ? "c" : "p"))
    .join("");
  expect(lanes).toBe("ccccpccccpp");
});

test("serves languages in turn, also when one of them has many jobs", async () => {
  const put = (language: LanguageId) => stage.putJob({}, { language });
  const many: SubmissionId[] = [];
  for (let i = 0; i < 6; i++) many.push(await put("python"));
  const few = [await put("java"), await put("c")];
  const { kind, order } = follow();
  await openTestExecutor(
    env({ DOCKET_SLOTS: "1", DOCKET_LANGUAGES: "python,java,c", DOCKET_LANES: "practice" }),
    kind,
  );
  await allFinished([...many, ...few]);
  expect(new Set(order.slice(0, 3))).toEqual(new Set([many[0], ...few]));
});

test("reserved slots take contest jobs only", async () => {
  const { kind, now } = follow();
  await openTestExecutor(env({ DOCKET_SLOTS: "2", DOCKET_CONTEST_RESERVED: "1" }), kind);
  const first = await stage.putJob({ ms: 1_500 });
  const second = await stage.putJob({ ms: 10 });
  await stage.until((events) => events.find((e) => e.submission === first && e.type === "started"));
  const contest = await stage.putJob({ ms: 10 }, { lane: "contest" });
  await stage.finished(contest, 1_000);
  expect([...now]).toEqual([first]);
  await allFinished([first, second]);
});

test("rejudges leave a slot to the other lanes, also when an idle executor finds many of them at once", async () => {
  const { kind, now } = follow();
  const again = await Promise.all(
    Array.from({ length: 4 }, () => stage.putJob({ ms: 2_000 }, { lane: "rejudge" })),
  );
  await openTestExecutor(env({ DOCKET_SLOTS: "4" }), kind);
  await expect.poll(() => now.size).toBe(3);
  await stage.finished(await stage.putJob({}, { lane: "contest" }), 1_500);
  await allFinished(again);
});

test("an idle executor starts a job within milliseconds of its publish", async () => {
  const begunAtMs = new Map<string, number>();
  const kind = createSleepKind({ begun: (submission) => begunAtMs.set(submission, performance.now()) });
  const { registry } = await openTestExecutor(env({ DOCKET_LANGUAGES: "python,java,c" }), kind);
  const latencies: number[] = [];
  for (let i = 0; i < 40; i++) {
    const publishedAtMs = performance.now();
    const submission = await stage.putJob({});
    await stage.finished(submission);
    latencies.push((begunAtMs.get(submission) ?? Infinity) - publishedAtMs);
  }
  latencies.sort((a, b) => a - b);
  console.log(`publish to start: p50 ${latencies[20]?.toFixed(2)} ms, p95 ${latencies[38]?.toFixed(2)} ms`);
  // Far from what it is on a quiet machine (see docs/performance.md), and far from the one-second look.
  expect(latencies[20]).toBeLessThan(50);
  await expect
    .poll(async () => (await registry.getSingleMetric("docket_executor_jobs_total")?.get())?.values)
    .toEqual([{ labels: { end: "finished", language: "python" }, value: 40 }]);
});
