import { constants } from "node:os";
import type { FinishedRun } from "./run.ts";

type Status = FinishedRun["status"];

/**
 * How programs that keep to Codeforces' testlib say what they found: by their exit code, and by the first words of
 * their error output. Source: testlib.h (`resultExitCode`, `quit`).
 */
export interface TestlibVerdict {
  readonly type: "OK" | "REJECTED" | "POINTS";
  /** With POINTS. */
  readonly points?: number;
}

const OK = 0;
/** _wa, _pe, _dirt, _unexpected_eof. */
const REJECTED: ReadonlySet<number> = new Set([1, 2, 4, 8]);
const FAIL = 3;
const POINTS = 7;
/** `_pc(n)` is the result 16 + n. */
const PARTIALLY = 16;
/** Compiled with TESTSYS, `_pc(n)` ends with 50 + n; without, with n alone. */
const TESTSYS_PARTIALLY = 50;
const MOST_POINTS = 200;

const NUMBER = /^points ([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?:\s|$)/i;
const PARTIALLY_CORRECT = /^partially correct \((\d{1,3})\)/;

/**
 * What an end means; undefined when it is no verdict. `words` is the beginning of the error output: for points (7) they
 * alone say how many, without TESTSYS they alone tell `_pc(1)` from a wrong answer, and a code above 128 from a crash.
 */
export function readTestlibEnd(status: Status, words: string): TestlibVerdict | undefined {
  const code = exitCodeOf(status);
  const said = PARTIALLY_CORRECT.exec(words)?.[1];
  if (code !== undefined && said !== undefined) {
    const points = Number(said);
    const bases = [0, PARTIALLY, TESTSYS_PARTIALLY];
    if (bases.some((base) => (base + points) % 256 === code)) return { type: "POINTS", points };
  }
  if (status.type !== "exited" || code === undefined) return undefined;
  if (code === OK) return { type: "OK" };
  if (REJECTED.has(code)) return { type: "REJECTED" };
  if (code === POINTS) {
    const points = Number(NUMBER.exec(words)?.[1] ?? Number.NaN);
    return Number.isFinite(points) ? { type: "POINTS", points } : undefined;
  }
  const base = code < TESTSYS_PARTIALLY ? PARTIALLY : TESTSYS_PARTIALLY;
  if (code < base || code > base + MOST_POINTS) return undefined;
  return { type: "POINTS", points: code - base };
}

/** The sandbox sees an exit code of 128 and a signal's number as that signal. */
function exitCodeOf(status: Status): number | undefined {
  if (status.type === "exited") return status.code;
  if (status.type === "limit") return undefined;
  const number = Object.entries(constants.signals).find(([name]) => name === status.signal)?.[1];
  return number === undefined ? undefined : 128 + number;
}

/** Whether an end lets the program that it talks to come to an end of its own: nothing was rejected. */
export const testlibGoesOn = (code: number, scoring: boolean): boolean =>
  code === OK || (scoring && (code === POINTS || code >= PARTIALLY));

/** Why an end is no verdict. */
export function whyNoTestlibVerdict(code: number): string {
  if (code === FAIL) return `exited with ${code} (testlib's FAIL)`;
  if (code === POINTS) return `exited with ${code} (testlib's points) and did not say how many`;
  return `exited with ${code} (not a verdict of testlib)`;
}
