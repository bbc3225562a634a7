import { afterAll, beforeAll, expect, test } from "vitest";
import type { LentSlot } from "../../../src/executors/work.ts";
import { type Judging, openJudging } from "./harness.ts";
import { findLanguages } from "./toolchains.ts";

/** Tests of one job in two slots of the real sandbox. */

let judging: Judging;
beforeAll(async () => {
  // A busy machine would lend nothing.
  judging = await openJudging({ ...(await findLanguages(["c"])), cpuPressure: () => 0 });
});
afterAll(() => judging.close());

/** Slot 1, to be had whenever nobody has it. */
function spareSlot() {
  let callBack: AbortController | undefined;
  let loans = 0;
  return {
    lendSlot: (): LentSlot | undefined => {
      if (callBack !== undefined) return undefined;
      const loan = (callBack = new AbortController());
      loans += 1;
      return { slot: 1, signal: loan.signal, giveBack: () => (callBack = undefined) };
    },
    /** A job comes for it; false when nobody has it. */
    callBack: (): boolean => {
      callBack?.abort(new Error("wanted"));
      return callBack !== undefined;
    },
    isBack: () => callBack === undefined,
    loans: () => loans,
  };
}

/** Answers after 300 ms; wrongly where the input is 13, and crashes on 14. */
const SOURCE = `
#include <stdio.h>
#include <unistd.h>
int main(void) {
  int n;
  scanf("%d", &n);
  usleep(300000);
  if (n == 14) return 1;
  printf("%d\\n", n == 13 ? 0 : n + 1);
  return 0;
}
`;
const testsOf = (inputs: readonly number[]) => inputs.map((n) => ({ input: `${n}\n`, answer: `${n + 1}\n` }));

const beside = async (outcome: string): Promise<number> =>
  Number(
    new RegExp(`docket_executor_tests_beside_total\\{outcome="${outcome}"\\} (\\d+)`).exec(
      await judging.metrics(),
    )?.[1] ?? 0,
  );

test("tests run in two slots at once, and are told in their order", async () => {
  const spare = spareSlot();
  const before = await beside("taken");
  const seen: number[] = [];
  const result = await judging.judge({
    language: "c",
    source: SOURCE,
    tests: testsOf([1, 2, 3, 4, 5, 6]),
    lendSlot: spare.lendSlot,
    onReport: (_, { tests }) => seen.push(tests.length),
  });
  expect(result).toMatchObject({ verdict: "AC" });
  expect(result.tests.map(({ name }) => name)).toEqual([1, 2, 3, 4, 5, 6].map((n) => `secret/${n}`));
  expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(await beside("taken")).toBeGreaterThan(before);
  expect([spare.isBack(), judging.pins()]).toEqual([true, 0]);
});

test("the first failing test in the order is the verdict, and nothing after it is told", async () => {
  const spare = spareSlot();
  const { verdict, tests } = await judging.judge({
    language: "c",
    source: SOURCE,
    tests: testsOf([1, 2, 13, 14, 14, 14]),
    lendSlot: spare.lendSlot,
  });
  expect([verdict, tests.map((one) => one.verdict)]).toEqual(["WA", ["AC", "AC", "WA"]]);
  expect(spare.loans()).toBeGreaterThan(0);
  expect([spare.isBack(), judging.pins()]).toEqual([true, 0]);
});

test("a slot that is called back is given back at once, and its test is run again", async () => {
  const spare = spareSlot();
  const before = await beside("stopped");
  const judged = judging.judge({
    language: "c",
    source: SOURCE,
    tests: testsOf([1, 2, 3, 4, 5, 6]),
    lendSlot: spare.lendSlot,
    // Told after each test: the one that runs beside is under way.
    onReport: () => void setTimeout(() => spare.callBack(), 50),
  });
  await expect(judged).resolves.toMatchObject({ verdict: "AC" });
  expect((await judged).tests).toHaveLength(6);
  expect(await beside("stopped")).toBeGreaterThan(before);
  expect([spare.isBack(), judging.pins()]).toEqual([true, 0]);
});

test("few tests, and problems of several passes, take no second slot", async () => {
  const spare = spareSlot();
  await judging.judge({
    language: "c",
    source: SOURCE,
    tests: testsOf([1, 2]),
    lendSlot: spare.lendSlot,
  });
  await judging.judge({
    language: "c",
    source: SOURCE,
    tests: testsOf([1, 2, 3, 4, 5, 6]),
    manifest: { passes: 2 },
    lendSlot: spare.lendSlot,
  });
  expect(spare.loans()).toBe(0);
});

test("with a limit parallelTests of 1 they run one by one", async () => {
  await judging.restart({ parallelTests: 1 });
  const spare = spareSlot();
  await judging.judge({
    language: "c",
    source: SOURCE,
    tests: testsOf([1, 2, 3, 4, 5]),
    lendSlot: spare.lendSlot,
  });
  expect(spare.loans()).toBe(0);
});
