import type { TestReport } from "../../shared/judging.ts";
import type { LanguageId } from "../../shared/language.ts";
import type { Verdict } from "../../shared/verdict.ts";
import type { RunLimits } from "../sandbox/sandbox.ts";
import { ranOutOfMemory } from "./outofmemory.ts";
import type { FinishedRun } from "./run.ts";

/** A verdict that the program's run alone gives; with none, its output decides. */
export type RunVerdict = Extract<Verdict, "TLE" | "MLE" | "OLE" | "RTE">;

/**
 * Total over every run. Limits come before the way it ended: a program that used too much time and then crashed is
 * TLE, and a sleeper (wall limit) is TLE too, as in the problem package format. `said` tells a program that its runtime
 * ended for want of memory from one that crashed.
 */
export function runVerdict(
  run: FinishedRun,
  limits: Pick<RunLimits, "cpuMs">,
  said?: { readonly language: LanguageId; readonly errorOutput: string },
): RunVerdict | undefined {
  const { status } = run;
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
  // The sandbox looks at the time every few milliseconds: what ends in between is over the limit all the same.
  if (run.cpuMs > limits.cpuMs) return "TLE";
  if (status.type === "exited" && status.code === 0) return undefined;
  return said !== undefined && ranOutOfMemory(said.language, said.errorOutput) ? "MLE" : "RTE";
}

/** Exit code or signal, where it says something. */
export function exitOf({ status }: FinishedRun): string | undefined {
  if (status.type === "signalled") return status.signal;
  return status.type === "exited" && status.code !== 0 ? `exit code ${status.code}` : undefined;
}

/** Largest CPU time and memory over the tests that ran; noughts when none did. */
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
