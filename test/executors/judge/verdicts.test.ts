import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { FinishedRun } from "../../../src/executors/judge/run.ts";
import { exitOf, peaks, runVerdict } from "../../../src/executors/judge/verdicts.ts";
import { Verdict } from "../../../src/shared/verdict.ts";

const status = fc.oneof(
  fc.record({ type: fc.constant("exited" as const), code: fc.integer({ min: 0, max: 255 }) }),
  fc.record({
    type: fc.constant("signalled" as const),
    signal: fc.constantFrom("SIGSEGV", "SIGKILL", "SIGABRT"),
  }),
  fc.record({
    type: fc.constant("limit" as const),
    limit: fc.constantFrom("cpu" as const, "wall" as const, "memory" as const, "output" as const),
  }),
);
const run: fc.Arbitrary<FinishedRun> = fc.record({
  status,
  cpuMs: fc.double({ min: 0, max: 5_000, noNaN: true }),
  wallMs: fc.double({ min: 0, max: 9_000, noNaN: true }),
  memoryKiB: fc.nat(1 << 20),
});

const ended = (how: FinishedRun["status"], cpuMs = 10): FinishedRun => ({
  status: how,
  cpuMs,
  wallMs: 20,
  memoryKiB: 1_000,
});
const limits = { cpuMs: 1_000 };

test.each([
  ["a good end leaves it to the output", ended({ type: "exited", code: 0 }), undefined],
  ["exactly the limit is within it", ended({ type: "exited", code: 0 }, 1_000), undefined],
  ["a good end too late", ended({ type: "exited", code: 0 }, 1_001), "TLE"],
  ["a crash too late is too late first", ended({ type: "signalled", signal: "SIGSEGV" }, 1_001), "TLE"],
  ["an exit code", ended({ type: "exited", code: 1 }), "RTE"],
  ["a signal", ended({ type: "signalled", signal: "SIGSEGV" }), "RTE"],
  ["CPU limit", ended({ type: "limit", limit: "cpu" }), "TLE"],
  ["a sleeper", ended({ type: "limit", limit: "wall" }), "TLE"],
  ["memory limit", ended({ type: "limit", limit: "memory" }), "MLE"],
  ["output limit", ended({ type: "limit", limit: "output" }), "OLE"],
  [
    "the limit that ended it counts, not what else it used",
    ended({ type: "limit", limit: "memory" }, 2_000),
    "MLE",
  ],
])("%s", (_name, finished, verdict) => {
  expect(runVerdict(finished, limits)).toBe(verdict);
});

test("a run is good only if it exited with 0 within its time", () => {
  fc.assert(
    fc.property(run, (finished) => {
      const good =
        finished.status.type === "exited" && finished.status.code === 0 && finished.cpuMs <= limits.cpuMs;
      expect(runVerdict(finished, limits) === undefined).toBe(good);
    }),
  );
});

test("more time never makes a verdict better", () => {
  fc.assert(
    fc.property(run, fc.double({ min: 0, max: 5_000, noNaN: true }), (finished, more) => {
      const before = runVerdict(finished, limits);
      const after = runVerdict({ ...finished, cpuMs: finished.cpuMs + more }, limits);
      if (before !== undefined) expect(after).toBeDefined();
      if (before === "TLE") expect(after).toBe("TLE");
    }),
  );
});

test("the end is told unless it was a plain one", () => {
  expect(exitOf(ended({ type: "exited", code: 0 }))).toBeUndefined();
  expect(exitOf(ended({ type: "exited", code: 7 }))).toBe("exit code 7");
  expect(exitOf(ended({ type: "signalled", signal: "SIGSEGV" }))).toBe("SIGSEGV");
  expect(exitOf(ended({ type: "limit", limit: "cpu" }))).toBeUndefined();
});

const tests = fc.array(
  fc.record({ verdict: fc.constantFrom(...Verdict.options), cpuMs: fc.nat(9_999), memoryKiB: fc.nat(9_999) }),
);

test("peaks are reached by some test and passed by none", () => {
  fc.assert(
    fc.property(tests, (all) => {
      const { cpuMs, memoryKiB } = peaks(all);
      expect(all.every((one) => one.cpuMs <= cpuMs && one.memoryKiB <= memoryKiB)).toBe(true);
      expect(all.length === 0 ? cpuMs === 0 : all.some((one) => one.cpuMs === cpuMs)).toBe(true);
    }),
  );
});
