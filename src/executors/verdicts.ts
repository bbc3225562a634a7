import type { TestReport } from "../shared/judging.ts";
import type { Verdict } from "../shared/verdict.ts";
import type { RunLimits, RunResult } from "./sandbox/sandbox.ts";

/** What a run of the program says by itself; `undefined` verdict: it ended well, its output decides. */
export type RunJudgement =
  | { readonly type: "cancelled" }
  | {
      readonly type: "ran";
      readonly verdict: Exclude<Verdict, "AC" | "WA" | "CE"> | undefined;
      /** Exit code or signal, where it says something. */
      readonly exit: string | undefined;
    };

/**
 * Total over every RunResult. Limits come before the way it ended: a program that used too much time and then
 * crashed is TLE, as in the problem package format. A sleeper (wall limit) is TLE too.
 */
export function judgeRun(result: RunResult, limits: Pick<RunLimits, "cpuMs">): RunJudgement {
  const { status } = result;
  if (status.type === "cancelled") return { type: "cancelled" };
  const exit =
    status.type === "signalled"
      ? status.signal
      : status.type === "exited" && status.code !== 0
        ? `exit code ${status.code}`
        : undefined;
  return { type: "ran", verdict: runVerdict(result, limits), exit };
}

function runVerdict(
  { status, cpuMs }: RunResult,
  limits: Pick<RunLimits, "cpuMs">,
): Exclude<Verdict, "AC" | "WA" | "CE"> | undefined {
  if (status.type === "limit") {
    switch (status.limit) {
      case "cpu":
      case "wall":
        return "TLE";
      case "memory":
        return "MLE";
      case "output":
        return "OLE";
    }
  }
  // The sandbox looks at the clock every few milliseconds: one that ended in between is over the limit all the same.
  if (cpuMs > limits.cpuMs) return "TLE";
  if (status.type === "exited" && status.code === 0) return undefined;
  return "RTE";
}

/** The first failing test in the manifest's order decides; with none, the program is accepted. */
export function overallVerdict(tests: readonly Pick<TestReport, "verdict">[]): Verdict {
  return tests.find((test) => test.verdict !== "AC")?.verdict ?? "AC";
}

/** Largest CPU time and memory over the tests that ran. */
export function peaks(tests: readonly Pick<TestReport, "cpuMs" | "memoryKiB">[]): {
  cpuMs: number;
  memoryKiB: number;
} {
  let cpuMs = 0;
  let memoryKiB = 0;
  for (const test of tests) {
    cpuMs = Math.max(cpuMs, test.cpuMs);
    memoryKiB = Math.max(memoryKiB, test.memoryKiB);
  }
  return { cpuMs, memoryKiB };
}
