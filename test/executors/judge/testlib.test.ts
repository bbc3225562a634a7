import { assert, constantFrom, integer, property } from "fast-check";
import { expect, test } from "vitest";
import { readTestlibEnd } from "../../../src/executors/judge/testlib.ts";

const exited = (code: number) => ({ type: "exited", code }) as const;

test.each<[number, string, string | number | undefined]>([
  [0, "ok 3 numbers", "OK"],
  [1, "wrong answer 1st numbers differ", "REJECTED"],
  [2, "wrong output format", "REJECTED"],
  [3, "FAIL", undefined],
  [4, "", "REJECTED"],
  [8, "unexpected eof", "REJECTED"],
  [5, "", undefined],
  [9, "", undefined],
  [7, "points 12.5 good", 12.5],
  [7, "points -3", -3],
  [7, "points 1e-3\n", 0.001],
  [7, "points nan", undefined],
  [7, "points 12x", undefined],
  [7, "", undefined],
  [7, "said points 5", undefined],
  [20, "", 4],
  [50, "", 0],
  [75, "", 25],
  [250, "", 200],
  [251, "", undefined],
  // Compiled without TESTSYS, the code alone would be something else.
  [0, "partially correct (0) nothing", 0],
  [1, "partially correct (1) hardly", 1],
  [3, "partially correct (3)", 3],
  [75, "partially correct (75) good", 75],
  [75, "partially correct (25) good", 25],
  // Words that do not belong to the code are the program's.
  [0, "partially correct (5)", "OK"],
  [1, "wrong answer partially correct (1)", "REJECTED"],
])("exit code %i with %j", (code, words, end) => {
  const expected = typeof end === "number" ? { type: "POINTS", points: end } : end && { type: end };
  expect(readTestlibEnd(exited(code), words)).toEqual(expected);
});

test("part of a solution is told by its words, however testlib was compiled", () => {
  assert(
    property(integer({ min: 0, max: 200 }), constantFrom(0, 16, 50), (points, base) => {
      const end = readTestlibEnd(exited((base + points) % 256), `partially correct (${points}) words`);
      expect(end).toEqual({ type: "POINTS", points });
    }),
  );
});

test("an exit code that the sandbox took for a signal is no crash when the words agree", () => {
  const status = { type: "signalled", signal: "SIGSEGV" } as const;
  expect(readTestlibEnd(status, "partially correct (89)")).toEqual({ type: "POINTS", points: 89 });
  expect(readTestlibEnd(status, "partially correct (88)")).toBeUndefined();
  expect(readTestlibEnd(status, "")).toBeUndefined();
  expect(readTestlibEnd({ type: "limit", limit: "cpu" }, "partially correct (0)")).toBeUndefined();
});
