import { describe, expect, it } from "vitest";
import { expectationOf, missOf, readAnnotation } from "../../src/cli/expectation.ts";
import type { SubmissionView } from "../../src/cli/operations.ts";
import type { Verdict } from "../../src/shared/verdict.ts";

/** A finished submission: its tests' verdicts in order; the first that is not AC decides. */
function judged(verdicts: readonly Verdict[], more: Partial<SubmissionView> = {}): SubmissionView {
  return {
    id: "s",
    revision: 1,
    state: "FINISHED",
    verdict: verdicts.find((one) => one !== "AC") ?? "AC",
    owner: "jury",
    problem: null,
    language: { id: "c", name: "C" },
    createdAt: "",
    testsDone: verdicts.length,
    testsTotal: verdicts.length,
    cpuMs: 1,
    memoryKiB: 1,
    score: null,
    groups: [],
    compile: null,
    tests: verdicts.map((verdict, i) => ({
      name: `secret/${i + 1}-${verdict === "AC" ? "easy" : "hard"}`,
      verdict,
      cpuMs: 1,
      memoryKiB: 1,
    })),
    judgement: { generation: 1 },
    ...more,
  };
}

const compileError = judged([], { verdict: "CE" });

const plainly = (folder: string, legacy = false) =>
  expectationOf({ folder, legacy, annotation: undefined, rules: [] });

describe("folders", () => {
  it.each<[string, Verdict[], string | undefined]>([
    ["accepted", ["AC", "AC"], undefined],
    ["accepted", ["AC", "WA"], "WA"],
    ["wrong_answer", ["AC", "WA"], undefined],
    ["wrong_answer", ["AC"], "AC"],
    ["wrong_answer", ["TLE"], "TLE"],
    ["wrong_answer", ["WA", "RTE"], "WA"],
    ["time_limit_exceeded", ["TLE"], undefined],
    ["time_limit_exceeded", ["RTE"], "RTE"],
    ["run_time_error", ["AC", "RTE"], undefined],
    ["run_time_error", ["MLE"], undefined],
    ["run_time_error", ["OLE"], undefined],
    ["run_time_error", ["WA"], "WA"],
    ["brute_force", ["TLE"], undefined],
    ["brute_force", ["RTE"], undefined],
    ["brute_force", ["WA"], "WA"],
    ["brute_force", ["AC"], "AC"],
    ["rejected", ["WA"], undefined],
    ["rejected", ["AC"], "AC"],
    ["anything_else", ["WA"], undefined],
  ])("%s with %j", (folder, verdicts, miss) => {
    expect(missOf(plainly(folder), judged(verdicts))).toBe(miss);
  });

  it("a compile error is rejected, and nothing else of the format", () => {
    expect(missOf(plainly("rejected"), compileError)).toBeUndefined();
    expect(missOf(plainly("compile_error"), compileError)).toBeUndefined();
    for (const folder of [
      "accepted",
      "wrong_answer",
      "time_limit_exceeded",
      "run_time_error",
      "brute_force",
    ]) {
      expect([folder, missOf(plainly(folder), compileError)]).toEqual([folder, "CE"]);
    }
  });

  it("legacy lets slow programs be wrong as well, and crashing ones everything", () => {
    expect(missOf(plainly("time_limit_exceeded", true), judged(["WA", "TLE"]))).toBeUndefined();
    expect(missOf(plainly("time_limit_exceeded"), judged(["WA", "TLE"]))).toBe("WA");
    expect(missOf(plainly("run_time_error", true), judged(["TLE", "RTE"]))).toBeUndefined();
  });

  it("what was not judged is a miss in every folder", () => {
    expect(missOf(plainly("rejected"), judged([], { state: "FAILED", verdict: null }))).toBe("FAILED");
    expect(missOf(plainly("anything_else"), judged([], { state: "RUNNING", verdict: null }))).toBe("RUNNING");
  });
});

describe("@EXPECTED_RESULTS@", () => {
  it.each<[string, Verdict[] | undefined]>([
    ["# @EXPECTED_RESULTS@: CORRECT", ["AC"]],
    ["/* @EXPECTED_RESULTS@: TIMELIMIT, WRONG-ANSWER */", ["TLE", "WA"]],
    ["// @EXPECTED_RESULTS@: time_limit_exceeded", ["TLE"]],
    ["// @EXPECTED_RESULTS@: RUN-ERROR\nint main", ["RTE", "MLE", "OLE"]],
    ["// @EXPECTED_RESULTS@: COMPILER-ERROR", ["CE"]],
    ["// @EXPECTED_RESULTS@: CHECK-MANUALLY", undefined],
    ["int main() {}", undefined],
  ])("%j", (source, verdicts) => {
    expect(readAnnotation(source)).toEqual(verdicts);
  });

  it("takes the place of the folder", () => {
    const expectation = expectationOf({ folder: "rejected", legacy: false, annotation: ["CE"], rules: [] });
    expect(expectation.label).toBe("CE");
    expect(missOf(expectation, compileError)).toBeUndefined();
    expect(missOf(expectation, judged(["WA"]))).toBe("WA");
  });
});

describe("submissions.yaml", () => {
  it("replaces a folder's rule, or adds to it, for all tests or some", () => {
    const replaced = expectationOf({
      folder: "time_limit_exceeded",
      legacy: false,
      annotation: undefined,
      rules: [{ permitted: ["AC", "WA", "TLE"], replaces: true }],
    });
    expect(missOf(replaced, judged(["WA", "TLE"]))).toBeUndefined();
    expect(missOf(replaced, judged(["WA"]))).toBe("WA");
    const added = expectationOf({
      folder: "time_limit_exceeded",
      legacy: false,
      annotation: undefined,
      rules: [
        { tests: "secret/*-easy", permitted: ["AC"] },
        { tests: "secret/*-hard", required: ["TLE"] },
      ],
    });
    expect(missOf(added, judged(["AC", "TLE"]))).toBeUndefined();
    const slowOnEasy = judged(["AC", "TLE"]);
    const renamed = slowOnEasy.tests.map((test) => ({ ...test, name: test.name.replace("hard", "easy") }));
    expect(missOf(added, { ...slowOnEasy, tests: renamed })).toBe("TLE");
  });

  it("wants a message of the validator", () => {
    const expectation = expectationOf({
      folder: "wrong_answer",
      legacy: false,
      annotation: undefined,
      rules: [{ message: "twice" }],
    });
    const view = judged(["WA"]);
    const [test] = view.tests;
    if (test === undefined) throw new Error("no test");
    expect(
      missOf(expectation, { ...view, tests: [{ ...test, judgeMessage: "stone 3 is used twice" }] }),
    ).toBeUndefined();
    expect(missOf(expectation, view)).toBe('WA without the message "twice"');
  });
});
