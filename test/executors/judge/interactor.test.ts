import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { zipOf } from "../../server/problems/archives.ts";
import { collectImports } from "../../server/problems/importing.ts";
import { type Judging, type JudgeRequest, openJudging } from "./harness.ts";
import { SEARCH } from "./search.ts";
import { findLanguages } from "./toolchains.ts";

let judging: Judging;
beforeAll(async () => {
  judging = await openJudging(await findLanguages(["python", "c"]));
}, 60_000);
afterAll(async () => await judging.close());

/**
 * An interactor with testlib's manners: input, tout and answer are its arguments, the program is at its standard
 * streams, it ends with testlib's exit codes and words. It lets the program guess a number, and writes down for the
 * checker how many guesses it took. A guess below nought asks for an end that is none.
 */
const INTERACTOR = String.raw`
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static int quit(int code, const char *words) { fprintf(stderr, "%s\n", words); exit(code); }
int main(int argc, char **argv) {
  if (argc != 4) quit(3, "FAIL arguments");
  FILE *inf = fopen(argv[1], "r"), *tout = fopen(argv[2], "w"), *ans = fopen(argv[3], "r");
  int number, most, guess, guesses = 0;
  if (!inf || !tout || !ans || fscanf(inf, "%d", &number) != 1 || fscanf(ans, "%d", &most) != 1)
    quit(3, "FAIL files");
  do {
    int read = scanf("%d", &guess);
    if (read == EOF) quit(8, "unexpected eof guess expected");
    if (read != 1) quit(2, "wrong output format guess expected");
    if (guess == -3) quit(3, "FAIL jury is wrong");
    if (guess == -6) abort();
    if (guess == -7) quit(7, "points 3.5 fair");
    if (guess == -30) quit(30, "partially correct (30) fair");
    if (guess == -1) { unlink(argv[2]); return symlink(argv[1], argv[2]); }
    if (guess == -2) quit(0, "ok nothing left for the checker");
    if (guess == -9) { fputs("nonsense", tout); fclose(tout); quit(0, "ok nonsense"); }
    if (++guesses > 12) quit(1, "wrong answer too many guesses");
    puts(guess == number ? "correct" : guess < number ? "higher" : "lower");
    fflush(stdout);
  } while (guess != number);
  fprintf(tout, "%d\n", guesses);
  fclose(tout);
  quit(0, "ok found");
}`;

/** Input, output and answer: as many guesses as the answer says are allowed. */
const CHECKER = `import sys
def quit(code, words):
    sys.stderr.write(words + "\\n")
    sys.exit(code)
number, left, most = (open(path).read() for path in sys.argv[1:])
if number != "700": quit(3, "FAIL input")
if left == "": quit(2, "wrong output format nothing left")
if not left.strip().isdigit(): quit(3, "FAIL " + left)
if int(left) > int(most): quit(1, f"wrong answer {int(left)} guesses")
quit(0, "ok few enough")`;

const says = (guess: number | string): string => `print("${guess}", flush=True)\ninput()`;

const request = (source: string, most = 10, manifest: JudgeRequest["manifest"] = {}): JudgeRequest => ({
  language: "python",
  source,
  tests: [{ input: "700", answer: `${most}` }],
  validator: { language: "c", files: { "interactor.c": INTERACTOR }, testlib: true },
  limits: { timeMs: 300 },
  manifest: {
    interactive: true,
    checker: {
      type: "custom",
      args: [],
      language: "python",
      files: [{ name: "check.py", ...judging.put(CHECKER) }],
      testlib: true,
    },
    ...manifest,
  },
});

async function faultOf(source: string) {
  const outcome = await judging.outcome(request(source));
  if (outcome.type !== "fault") throw new Error(JSON.stringify(outcome));
  expect(outcome.fault).toMatchObject({ code: "VALIDATOR_FAILED", retry: false });
  expect(judging.pins()).toBe(0);
  return outcome.fault;
}

test("what the interactor accepted and the checker accepts is accepted, with the words of both", async () => {
  const { verdict, tests } = await judging.judge(request(SEARCH));
  expect({ verdict, tests }).toMatchObject({
    verdict: "AC",
    tests: [{ judgeMessage: "ok found\nok few enough\n" }],
  });
});

test("the checker rejects what the interactor accepted", async () => {
  const { tests } = await judging.judge(request(SEARCH, 3));
  expect(tests).toMatchObject([
    {
      verdict: "WA",
      judgeMessage: expect.stringMatching(/^ok found\nwrong answer \d+ guesses\n$/),
      transcript: expect.stringMatching(/^> 500\n< higher\n> 750\n< lower\n/),
    },
  ]);
});

test.each<[string, string, string, string | undefined]>([
  [
    "guesses too often",
    "while True:\n  print(1, flush=True)\n  input()",
    "WA",
    "wrong answer too many guesses\n",
  ],
  ["says what is no guess", says("x"), "WA", "wrong output format guess expected\n"],
  ["ends without a word", "", "WA", "unexpected eof guess expected\n"],
  [
    "leaves nothing for the checker",
    "print(-2)",
    "WA",
    "ok nothing left for the checker\nwrong output format nothing left\n",
  ],
  ["counts for ever", "while True: pass", "TLE", undefined],
  ["crashes in the middle", says(500) + "\nraise SystemExit(1)", "RTE", undefined],
  ["gets points where there are no scores", says(-7), "WA", "points 3.5 fair\n"],
])("a program that %s", async (_what, source, verdict, judgeMessage) => {
  const { tests } = await judging.judge(request(source));
  expect(tests).toMatchObject([{ verdict, ...(judgeMessage === undefined ? {} : { judgeMessage }) }]);
});

test.each<[string, number, RegExp]>([
  ["the interactor fails", -3, /^the interactor of plus-one exited with 3 \(testlib's FAIL\)/],
  ["the interactor crashes", -6, /^the interactor of plus-one crashed \(SIGABRT\)/],
  [
    "the interactor leaves a link",
    -1,
    /^the interactor of plus-one left an output for the checker that is no file/,
  ],
  ["the checker fails", -9, /^the checker of plus-one exited with 3 \(testlib's FAIL\)/],
])("%s: a fault, and never a verdict", async (_what, guess, message) => {
  expect((await faultOf(`print(${guess}, flush=True)`)).message).toMatch(message);
});

test("what a failed interactor said is there for the jury", async () => {
  expect((await faultOf(says(-3))).log).toBe("FAIL jury is wrong\n");
});

test("a package of Polygon with an interactor, a checker and points is imported and judged", async () => {
  const imports = collectImports();
  const result = await imports.run(
    zipOf({
      "problem.xml": `<problem short-name="guess"><judging input-file="" output-file="" run-count="1">
<testset name="tests"><time-limit>1000</time-limit><memory-limit>268435456</memory-limit><test-count>2</test-count>
<input-path-pattern>tests/%02d</input-path-pattern><answer-path-pattern>tests/%02d.a</answer-path-pattern>
<tests><test points="40.0"/><test points="60.0"/></tests></testset></judging>
<assets><checker type="testlib"><source path="files/check.py" type="python.3"/></checker>
<interactor><source path="files/interactor.c" type="c.gcc"/></interactor></assets></problem>`,
      "tests/01": "700",
      "tests/01.a": "10",
      "tests/02": "700",
      "tests/02.a": "3",
      "files/check.py": CHECKER,
      "files/interactor.c": INTERACTOR,
    }),
  );
  const manifest = imports.manifest(result);
  for (const bytes of imports.blobs.values()) judging.put(Buffer.from(bytes));
  expect(await judging.judge({ language: "python", source: SEARCH, manifest })).toMatchObject({
    verdict: "WA",
    score: 40,
    groups: [{ name: "", verdict: "WA", score: 40, maxScore: 100 }],
    tests: [
      { name: "tests/01", verdict: "AC", score: 40 },
      { name: "tests/02", verdict: "WA", score: 0, judgeMessage: expect.stringContaining("wrong answer") },
    ],
  });
});

describe("where there are scores", () => {
  const scoring: JudgeRequest["manifest"] = {
    scoring: true,
    groups: [
      { name: "", breaks: false, grading: { type: "aggregate", by: "sum", maxScore: 100, testScore: 100 } },
    ],
  };
  test.each([
    ["points", says(-7), 3.5],
    ["a part of the solution", says(-30), 30],
    ["an acceptance by both", SEARCH, 100],
  ])("%s", async (_what, source, score) => {
    // One that waited for a word after its last one would be at the end of its input, and crash.
    const outcome = await judging.judge(request(source.replace("\ninput()", ""), 10, scoring));
    expect(outcome).toMatchObject({ verdict: "AC", score });
  });
});
