import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readCpuPressure, wallMsFor } from "../../../src/executors/judge/wall.ts";
import { judgeDeadlineMs } from "../../../src/server/intake/judgework.ts";
import { ProblemManifest } from "../../../src/shared/judging.ts";
import { LANGUAGE_DEFINITIONS } from "../../../src/executors/languages/languages.ts";

test("pressure is a share, and what is sleeping on an idle machine may be waiting on a busy one", () => {
  expect(readCpuPressure()).toBeGreaterThanOrEqual(0);
  expect(readCpuPressure()).toBeLessThanOrEqual(1);
  expect(wallMsFor(1_000, 0)).toBe(5_000);
  expect(wallMsFor(1_000, 1)).toBe(15_000);
});

const ms = fc.integer({ min: 1, max: 600_000 });
const hash = "0".repeat(64);

/** Who waits for a CPU is given so much more of it (walltime.ts). */
const STRETCH = 2;

test("no program, compiler or validator can make a job reach its deadline", () => {
  fc.assert(
    fc.property(
      ms,
      ms,
      ms,
      fc.integer({ min: 1, max: 20 }),
      (timeMs, validationTimeMs, compilationTimeMs, count) => {
        const mib = { memoryMiB: 1, outputMiB: 1, codeKiB: 1, compilationMemoryMiB: 1 };
        const validation = { validationTimeMs, validationMemoryMiB: 1, validationOutputMiB: 1 };
        const manifest = ProblemManifest.parse({
          v: 1,
          problem: "p",
          name: "P",
          limits: { timeMs, compilationTimeMs, ...mib, ...validation },
          runAllTests: true,
          tests: Array.from({ length: count }, (_, i) => ({
            name: `secret/${i}`,
            sample: false,
            input: hash,
            answer: hash,
            inputBytes: 1,
            answerBytes: 1,
          })),
          validator: { type: "default", args: [] },
        });
        const factor = Math.max(...Object.values(LANGUAGE_DEFINITIONS).map(({ timeFactor }) => timeFactor));
        const longest =
          STRETCH * 2 * wallMsFor(compilationTimeMs, 1) +
          (count + 1) * STRETCH * (wallMsFor(timeMs * factor, 1) + wallMsFor(validationTimeMs, 1));
        expect(judgeDeadlineMs(manifest)).toBeGreaterThanOrEqual(Math.min(longest, 24 * 3_600_000));
      },
    ),
  );
});
