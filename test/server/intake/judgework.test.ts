import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createJudgeWork, judgeDeadlineMs } from "../../../src/server/intake/judgework.ts";
import type { SubmissionDocument } from "../../../src/server/store/documents.ts";
import { wallMsFor } from "../../../src/executors/judge/wall.ts";
import type { ProblemId, Sha256 } from "../../../src/shared/ids.ts";
import type { ProblemManifest } from "../../../src/shared/judging.ts";
import { encodeJson } from "../../../src/shared/nats.ts";

const sha = (digit: string): Sha256 => digit.repeat(64) as Sha256;
const test = { name: "1", sample: false, input: sha("1"), answer: sha("2"), inputBytes: 1, answerBytes: 1 };

const manifest = (timeMs: number, tests: number): ProblemManifest => ({
  v: 1,
  problem: "p" as ProblemId,
  name: "P",
  limits: {
    timeMs,
    memoryMiB: 64,
    outputMiB: 8,
    codeKiB: 64,
    compilationTimeMs: 60_000,
    compilationMemoryMiB: 512,
    validationTimeMs: 60_000,
    validationMemoryMiB: 512,
    validationOutputMiB: 8,
  },
  runAllTests: true,
  tests: Array.from({ length: tests }, () => test),
  validator: { type: "default", args: [] },
});

const submission = (of: Sha256) =>
  ({ language: "python", files: [], problem: "p", manifest: of }) as unknown as SubmissionDocument;

describe("a job's deadline", () => {
  it("is beyond what its program can use up on an executor, in the slowest language on the busiest machine", () => {
    const slowestFactor = 4;
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), fc.integer({ min: 1, max: 200 }), (timeMs, tests) => {
        const { limits } = manifest(timeMs, tests);
        const each = wallMsFor(timeMs * slowestFactor, 1) + wallMsFor(limits.validationTimeMs, 1);
        const longest = 2 * wallMsFor(limits.compilationTimeMs, 1) + each * tests;
        const deadline = judgeDeadlineMs(manifest(timeMs, tests));
        expect(deadline).toBeGreaterThan(Math.min(longest, 24 * 3_600_000 - 1));
      }),
    );
  });

  it("reads a manifest once, and asks again for one that is not there yet", async () => {
    const asked: string[] = [];
    let there = false;
    const work = createJudgeWork({
      evicted: () => undefined,
      problems: { get: () => Promise.resolve(undefined) },
      blobs: {
        async read(name) {
          asked.push(name);
          return there ? encodeJson(manifest(1000, 2)) : undefined;
        },
      },
    });
    const lost = await work.deadlineMs(submission(sha("a")));
    there = true;
    const known = await work.deadlineMs(submission(sha("a")));
    expect(await work.deadlineMs(submission(sha("a")))).toBe(known);
    expect(lost).toBeGreaterThan(known);
    expect(asked).toHaveLength(2);
  });
});
