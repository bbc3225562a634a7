import { afterAll, beforeAll, expect, test } from "vitest";
import { type Judging, openJudging } from "./harness.ts";
import { findLanguages } from "./toolchains.ts";

let judging: Judging;
beforeAll(async () => {
  judging = await openJudging(await findLanguages(["python"]));
}, 60_000);
afterAll(async () => await judging.close());

async function metric(name: string): Promise<number> {
  const line = (await judging.metrics()).split("\n").find((one) => one.startsWith(`${name} `));
  return Number(line?.split(" ").at(-1) ?? 0);
}

test("tests whose words do not fit into reportCharacters keep none, and are judged all the same", async () => {
  const reportCharacters = 500;
  await judging.restart({ reportCharacters });
  const { tests } = await judging.judge({
    language: "python",
    // The second one says too much for what the first one leaves, the third one does not.
    source: "import sys\nsys.stderr.write('x' * int(input()))\nprint(0)",
    tests: ["300", "300", "20"].map((words) => ({ input: `${words}\n`, answer: "1\n" })),
    runAllTests: true,
  });
  expect(tests.map(({ verdict }) => verdict)).toEqual(["WA", "WA", "WA"]);
  const words = tests.map((one) => (one.errorOutput?.length ?? 0) + (one.judgeMessage?.length ?? 0));
  expect(words.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(reportCharacters);
  expect(words[0]).toBeGreaterThanOrEqual(300);
  expect(words[1]).toBe(0);
  expect(words[2]).toBeGreaterThanOrEqual(20);
  expect(await metric('docket_executor_cut_total{limit="reportCharacters"}')).toBe(1);
});

test("a text that is cut is counted", async () => {
  await judging.restart({ errorOutputCharacters: 10 });
  const judge = (words: number) =>
    judging.judge({ language: "python", source: `import sys\nsys.stderr.write('x' * ${words})\nprint(0)` });
  await judge(9);
  expect(await metric('docket_executor_cut_total{limit="errorOutputCharacters"}')).toBe(0);
  await judge(11);
  expect(await metric('docket_executor_cut_total{limit="errorOutputCharacters"}')).toBe(1);
});

test("compiled programs on disk are no more than artefactCacheBytes", async () => {
  // One counts for 64 KiB at least.
  const artefactCacheBytes = 100_000;
  await judging.restart({ artefactCacheBytes });
  for (const n of [1, 2, 3]) await judging.judge({ language: "python", source: `print(2) # ${n}` });
  const bytes = await metric("docket_executor_artefact_cache_bytes");
  expect(bytes).toBeGreaterThan(0);
  expect(bytes).toBeLessThanOrEqual(artefactCacheBytes);
  expect(await metric("docket_executor_artefact_cache_evictions_total")).toBeGreaterThanOrEqual(2);
});
