import { Sha256 } from "../../../src/shared/ids.ts";
import { type Grading, ProblemManifest } from "../../../src/shared/judging.ts";

const sha = Sha256.parse("0".repeat(64));

/** A manifest with a test for each number: the place of its group. */
export function manifestOf(places: readonly number[], more: Partial<ProblemManifest> = {}): ProblemManifest {
  return ProblemManifest.parse({
    v: 1,
    problem: "p",
    name: "P",
    limits: {
      timeMs: 1,
      memoryMiB: 1,
      outputMiB: 1,
      codeKiB: 1,
      compilationTimeMs: 1,
      compilationMemoryMiB: 1,
      validationTimeMs: 1,
      validationMemoryMiB: 1,
      validationOutputMiB: 1,
    },
    runAllTests: false,
    validator: { type: "default", args: [] },
    tests: places.map((group, i) => ({
      name: `t${i}`,
      sample: false,
      input: sha,
      answer: sha,
      inputBytes: 0,
      answerBytes: 0,
      ...(more.groups === undefined ? {} : { group }),
    })),
    ...more,
  });
}

/** Groups graded as the legacy layout has it. */
export const legacy = (more: Partial<Extract<Grading, { type: "legacy" }>>): Grading => ({
  type: "legacy",
  verdict: "worst",
  score: "sum",
  ignoreSample: false,
  acceptIfAnyAccepted: false,
  acceptScore: 1,
  rejectScore: 0,
  ...more,
});
