import { z } from "zod";

/**
 * The result of judging, in the words of the ICPC/Kattis format:
 * accepted, wrong answer, time / memory / output limit exceeded, run-time error, compile error.
 * An infrastructure fault is never one of these.
 */
export const Verdict = z.enum(["AC", "WA", "TLE", "MLE", "OLE", "RTE", "CE"]);
export type Verdict = z.infer<typeof Verdict>;

export const VERDICT_NAMES: Readonly<Record<Verdict, string>> = {
  AC: "Accepted",
  WA: "Wrong Answer",
  TLE: "Time Limit Exceeded",
  MLE: "Memory Limit Exceeded",
  OLE: "Output Limit Exceeded",
  RTE: "Run-Time Error",
  CE: "Compile Error",
};
