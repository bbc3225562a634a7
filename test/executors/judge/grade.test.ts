import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createGrader, type Graded, testScore } from "../../../src/executors/judge/grade.ts";
import type { Grading, ManifestGroup, ProblemManifest } from "../../../src/shared/judging.ts";
import { Verdict } from "../../../src/shared/verdict.ts";
import { legacy, manifestOf } from "./manifests.ts";

/** Runs what the grader does not skip; `verdicts` are what the tests would come to. */
function judged(manifest: ProblemManifest, verdicts: readonly Verdict[]) {
  const grader = createGrader(manifest);
  const reports = new Map<number, Graded>();
  for (const [place, verdict] of verdicts.entries()) {
    if (grader.isSkipped(place, reports)) continue;
    const one = manifest.tests[place];
    const score = one && testScore(manifest, one, verdict, undefined);
    reports.set(place, { verdict, ...(score === undefined ? {} : { score }) });
  }
  return { ...grader.grade(reports), run: [...reports.keys()] };
}

test("without groups the first rejected test ends it and is the verdict", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...Verdict.options), { minLength: 1 }), (verdicts) => {
      const { verdict, run, groups, score } = judged(manifestOf(verdicts.map(() => 0)), verdicts);
      const first = verdicts.findIndex((one) => one !== "AC");
      expect(verdict).toBe(verdicts[first] ?? "AC");
      expect(run).toHaveLength(first < 0 ? verdicts.length : first + 1);
      expect([groups, score]).toEqual([undefined, undefined]);
    }),
  );
});

/** As in problemtools' oddecho: two subtasks of 50 points, each all or nothing. */
const subtasks: ManifestGroup[] = [
  { name: "", breaks: false, grading: legacy({ ignoreSample: true, most: 100 }) },
  { name: "sample", parent: 0, breaks: false, grading: legacy({ acceptScore: 0 }) },
  {
    name: "secret",
    parent: 0,
    breaks: false,
    grading: legacy({ verdict: "first", acceptIfAnyAccepted: true, most: 100 }),
  },
  { name: "secret/a", parent: 2, breaks: true, grading: legacy({ score: "min", acceptScore: 50 }) },
  { name: "secret/b", parent: 2, breaks: true, grading: legacy({ score: "min", acceptScore: 50 }) },
];
const oddecho = manifestOf([1, 3, 3, 4, 4], { groups: subtasks, scoring: true });

test.each<[Verdict[], Verdict, number, number[]]>([
  [["AC", "AC", "AC", "AC", "AC"], "AC", 100, [0, 1, 2, 3, 4]],
  [["AC", "AC", "AC", "WA", "AC"], "AC", 50, [0, 1, 2, 3]],
  [["WA", "RTE", "AC", "AC", "AC"], "AC", 50, [0, 1, 3, 4]],
  [["AC", "TLE", "AC", "WA", "AC"], "TLE", 0, [0, 1, 3]],
])("legacy groups: %j is %s with %i points", (verdicts, verdict, score, run) => {
  expect(judged(oddecho, verdicts)).toMatchObject({ verdict, score, run });
});

const modern = (
  secret: Extract<Grading, { type: "aggregate" }>,
  groups: readonly [string, Partial<ManifestGroup>, Extract<Grading, { type: "aggregate" }>][],
): ManifestGroup[] => [
  { name: "", breaks: false, grading: legacy({ ignoreSample: true, verdict: "first" }) },
  { name: "sample", parent: 0, breaks: false, grading: { type: "verdict" } },
  { name: "secret", parent: 0, breaks: secret.by !== "sum", grading: secret },
  ...groups.map(([name, more, grading]): ManifestGroup => ({
    name,
    parent: 2,
    breaks: grading.by !== "sum",
    grading,
    ...more,
  })),
];

const sums = manifestOf([1, 3, 3, 4, 4, 4], {
  scoring: true,
  groups: modern({ type: "aggregate", by: "sum", maxScore: 100 }, [
    ["secret/a", {}, { type: "aggregate", by: "pass-fail", maxScore: 40 }],
    ["secret/b", { requires: [3] }, { type: "aggregate", by: "sum", maxScore: 60, testScore: 20 }],
  ]),
});

test.each<[Verdict[], Verdict, number, number[]]>([
  [["AC", "AC", "AC", "AC", "AC", "AC"], "AC", 100, [0, 1, 2, 3, 4, 5]],
  // Samples count for nothing.
  [["WA", "AC", "AC", "AC", "WA", "AC"], "AC", 80, [0, 1, 2, 3, 4, 5]],
  // The second group asks for the first.
  [["AC", "AC", "WA", "AC", "AC", "AC"], "WA", 0, [0, 1, 2]],
  [["AC", "AC", "AC", "TLE", "TLE", "TLE"], "AC", 40, [0, 1, 2, 3, 4, 5]],
])("2025-09 groups: %j is %s with %i points", (verdicts, verdict, score, run) => {
  expect(judged(sums, verdicts)).toMatchObject({ verdict, score, run });
});

test("the least of a group's tests, and nought once one is rejected", () => {
  const manifest = manifestOf([2, 2], {
    scoring: true,
    groups: modern({ type: "aggregate", by: "min", maxScore: 10, testScore: 10 }, []),
  });
  expect(judged(manifest, ["AC", "AC"])).toMatchObject({ verdict: "AC", score: 10 });
  expect(judged(manifest, ["WA", "AC"])).toMatchObject({ verdict: "WA", score: 0, run: [0] });
});

test("each group is told with what it can give, before those in it", () => {
  const { groups } = judged(sums, ["AC", "AC", "AC", "AC", "WA", "AC"]);
  expect(groups).toEqual([
    { name: "", verdict: "AC", score: 80 },
    { name: "sample", verdict: "AC" },
    { name: "secret", verdict: "AC", score: 80, maxScore: 100 },
    { name: "secret/a", verdict: "AC", score: 40, maxScore: 40 },
    { name: "secret/b", verdict: "AC", score: 40, maxScore: 60 },
  ]);
});

test("a score beyond what the problem allows is the problem's fault", () => {
  const grader = createGrader(oddecho);
  expect(() => grader.grade(new Map([[1, { verdict: "AC", score: 170 }]]))).toThrow(/score 170 .*"secret"/);
});

const score = (place: number, manifest = sums) => ({ name: "t", group: place, manifest });
test.each<
  [string, ReturnType<typeof score>, Verdict, Parameters<typeof testScore>[3], number | undefined | RegExp]
>([
  ["its part of the group's", score(4), "AC", undefined, 20],
  ["a multiplier", score(4), "AC", { type: "multiplier", value: 0.25 }, 5],
  ["a score of the validator", score(4), "AC", { type: "score", value: 7 }, 7],
  ["nothing for a rejected one", score(4), "WA", undefined, 0],
  ["a multiplier above 1", score(4), "AC", { type: "multiplier", value: 1.5 }, /above 1/],
  ["a score above the test's", score(4), "AC", { type: "score", value: 21 }, /above the test's 20/],
  ["a score in a pass-fail group", score(3), "AC", { type: "score", value: 1 }, /has none but its own/],
  ["a score on a sample", score(1), "AC", { type: "score", value: 1 }, undefined],
  ["legacy without one", score(3, oddecho), "AC", undefined, 50],
  ["legacy with one", score(3, oddecho), "AC", { type: "score", value: 3 }, 3],
  ["legacy multiplier", score(3, oddecho), "AC", { type: "multiplier", value: 1 }, /does not have/],
  ["legacy that must", score(3, { ...oddecho, validatorScores: true }), "AC", undefined, /gave no score.txt/],
])("the score of a test: %s", (_what, { manifest, ...of }, verdict, given, expected) => {
  if (expected instanceof RegExp) expect(() => testScore(manifest, of, verdict, given)).toThrow(expected);
  else expect(testScore(manifest, of, verdict, given)).toBe(expected);
});

/** As a Polygon package becomes: a group that gives each test's points, and one that is all or nothing and needs it. */
const polygon = (() => {
  const groups: ManifestGroup[] = [
    { name: "", breaks: false, grading: legacy({ verdict: "first", acceptScore: 0, most: 60 }) },
    { name: "1", parent: 0, breaks: false, grading: legacy({ verdict: "first", acceptScore: 0, most: 30 }) },
    {
      name: "2",
      parent: 0,
      breaks: true,
      requires: [1],
      grading: legacy({ verdict: "first", score: "min", acceptScore: 0, most: 30 }),
    },
  ];
  const manifest = manifestOf([1, 1, 2, 2], { groups, scoring: true });
  const points = [10, 20, 30, 30];
  return { ...manifest, tests: manifest.tests.map((one, i) => ({ ...one, points: points[i] })) };
})();

test.each<[Verdict[], Verdict, number, number[]]>([
  [["AC", "AC", "AC", "AC"], "AC", 60, [0, 1, 2, 3]],
  [["AC", "WA", "AC", "AC"], "WA", 10, [0, 1]],
  [["WA", "AC", "AC", "AC"], "WA", 20, [0, 1]],
  [["AC", "AC", "TLE", "AC"], "TLE", 30, [0, 1, 2]],
  [["AC", "AC", "AC", "WA"], "WA", 30, [0, 1, 2, 3]],
])("tests of one group give points of their own: %j", (verdicts, verdict, points, run) => {
  expect(judged(polygon, verdicts)).toMatchObject({ verdict, score: points, run });
});

test("a validator gives part of a test's points, and never more", () => {
  const [first] = polygon.tests;
  if (first === undefined) throw new Error("no tests");
  const given = (value: number) => testScore(polygon, first, "AC", { type: "score", value });
  expect(given(3.5)).toBe(3.5);
  expect(given(10)).toBe(10);
  expect(() => given(10.5)).toThrow(/gave the score 10.5, above the test's 10,/);
});
