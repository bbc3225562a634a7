import { expect, it } from "vitest";
import { timelineOf } from "../../../src/server/graphql/timeline.ts";
import type { SubmissionSnapshot } from "../../../src/server/store/documents.ts";
import { z } from "zod";

const at = (seconds: number): Date => new Date(seconds * 1000);
const test = (name: string) => ({ name, verdict: "AC", cpuMs: 1, wallMs: 1, memoryKiB: 1 });

/** Only what a timeline is made of. */
const snapshotOf = (judgement: Record<string, unknown>): SubmissionSnapshot =>
  z
    .custom<SubmissionSnapshot>()
    .parse({ submission: {}, judgement: { tries: [], createdAt: at(0), ...judgement } });

const told = (judgement: Record<string, unknown>): string[] =>
  timelineOf(snapshotOf(judgement)).map(({ stage, at: when, test: name }) =>
    [stage, when.getTime() / 1000, ...(name === undefined ? [] : [name])].join(" "),
  );

it("a timeline tells each stage once, the tests by name", () => {
  const times = { publishedAtMs: 1_000, claimedAtMs: 2_000, stepsAtMs: [3_000, 4_000, 5_000] };
  const result = {
    verdict: "AC",
    cpuMs: 1,
    memoryKiB: 1,
    testsTotal: 2,
    tests: [test("sample/1"), test("secret/1")],
  };
  const finished = { state: "FINISHED", times, result, finishedAt: at(6), deliveredAt: at(7) };
  const whole = [
    "ACCEPTED 0",
    "PUBLISHED 1",
    "CLAIMED 2",
    "COMPILED 3",
    "TESTED 4 sample/1",
    "TESTED 5 secret/1",
    "RECORDED 6",
    "DELIVERED 7",
  ];
  expect(told(finished)).toEqual(whole);
  // One whose start was told, too.
  expect(told({ ...finished, tries: [{ startedAt: at(2) }] })).toEqual(whole);
});

it("and each go, where there were several; what has not happened yet is not there", () => {
  expect(told({ state: "PENDING" })).toEqual(["ACCEPTED 0"]);
  const tries = [{ startedAt: at(2) }, { startedAt: at(9) }];
  expect(told({ state: "RUNNING", tries })).toEqual(["ACCEPTED 0", "CLAIMED 2", "CLAIMED 9"]);
  expect(told({ state: "CANCELLED", tries: [], finishedAt: at(3) })).toEqual(["ACCEPTED 0", "RECORDED 3"]);
});
