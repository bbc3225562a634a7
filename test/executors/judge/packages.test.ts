import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { JudgeResult } from "../../../src/shared/judging.ts";
import { type Judging, type JudgeRequest, openJudging } from "./harness.ts";
import { findLanguages } from "./toolchains.ts";

/** What problem packages ask for besides reading standard input and comparing standard output. */

let judging: Judging;
beforeAll(async () => {
  judging = await openJudging(await findLanguages(["python", "c", "cpp", "javascript", "text"]));
}, 60_000);
afterAll(async () => await judging.close());
afterEach(() => {
  expect(readdirSync(join(judging.workDir, "jobs"))).toEqual([]);
  expect(judging.pins()).toBe(0);
});

const faultOf = async (request: JudgeRequest): Promise<string> => {
  const outcome = await judging.outcome(request);
  if (outcome.type !== "fault") throw new Error(JSON.stringify(outcome));
  expect(outcome.fault).toMatchObject({ code: "VALIDATOR_FAILED", retry: false });
  return outcome.fault.message;
};

test.each([
  ["python", "import sys\nprint(*sys.argv[1:])"],
  ["javascript", "console.log(process.argv.slice(2).join(' '))"],
] as const)("a test's arguments reach a program in %s", async (language, source) => {
  const result = await judging.judge({
    language,
    source,
    tests: [{ input: "", answer: "one two words", args: ["one", "two words"] }],
  });
  expect(result.verdict).toBe("AC");
});

test("a test's files are beside the program, for that test alone, and in the place of its own", async () => {
  const source = {
    "main.py":
      "import os\nfor name in ['a.txt', 'in/b.txt', 'own.txt']:\n  print(open(name).read() if os.path.exists(name) else '-')",
    "own.txt": "own",
  };
  const result = await judging.judge({
    language: "python",
    source,
    tests: [
      { input: "", answer: "A B new", files: { "a.txt": "A", "in/b.txt": "B", "own.txt": "new" } },
      { input: "", answer: "- - own" },
    ],
  });
  expect(result.verdict).toBe("AC");
});

const WRITES = "open('new.txt', 'w').write('5')\nprint(open('new.txt').read())";
test.each([
  [undefined, "RTE"],
  [true, "AC"],
] as const)("writing beside itself with writesFiles %s is %s", async (writesFiles, verdict) => {
  const result = await judging.judge({
    language: "python",
    source: WRITES,
    tests: [1, 2].map(() => ({ input: "", answer: "5" })),
    ...(writesFiles === undefined ? {} : { manifest: { writesFiles } }),
  });
  expect(result.verdict).toBe(verdict);
});

describe("included code", () => {
  const fileOf = (name: string, text: string) => ({ name, ...judging.put(text) });
  test("of the language and of all is compiled with the submission, in the place of its own", async () => {
    const result = await judging.judge({
      language: "cpp",
      source: { "solve.cpp": "int solve(int n) { return n + 1; }", "limits.h": "#error never" },
      manifest: {
        include: {
          default: [fileOf("limits.h", "#define LIMIT 10\n")],
          cpp: [
            fileOf(
              "driver.cpp",
              '#include <iostream>\n#include "limits.h"\nint solve(int);\nint main() { int n; std::cin >> n; std::cout << (n < LIMIT ? solve(n) : 0); }',
            ),
          ],
          python: [fileOf("main.py", "raise SystemExit(1)")],
        },
      },
    });
    expect(result).toMatchObject({ verdict: "AC", compile: { message: "" } });
  });

  test("can be what starts", async () => {
    const result = await judging.judge({
      language: "python",
      source: { "solution.py": "def solve(n): return n + 1" },
      manifest: {
        include: { python: [fileOf("main.py", "from solution import solve\nprint(solve(int(input())))")] },
      },
    });
    expect(result.verdict).toBe("AC");
  });
});

describe("submit-answer", () => {
  const answers = (source: Readonly<Record<string, string>>): Promise<JudgeResult> =>
    judging.judge({
      language: "text",
      source,
      tests: [
        { input: "1", answer: "one" },
        { input: "2", answer: "two" },
      ],
      runAllTests: true,
      manifest: { submitAnswer: true },
    });
  test("compares the files with the answers, without running anything", async () => {
    const result = await answers({ "1.out": "ONE\n", "secret_2.ans": "three" });
    expect(result.compile).toBeUndefined();
    expect(result.tests).toMatchObject([
      { verdict: "AC", cpuMs: 0 },
      { verdict: "WA", cpuMs: 0 },
    ]);
  });
  test("a test without an answer is wrong, and the owner learns why", async () => {
    const { tests } = await answers({ "1.txt": "one" });
    expect(tests[1]).toMatchObject({ verdict: "WA", teamMessage: "No answer was handed in for secret/2." });
  });
});

const echo = "import sys; sys.stdout.write(sys.stdin.read())";

describe("multi-pass", () => {
  /** Doubles what the program said until it is 16; counts its passes in the feedback. */
  const DOUBLE = `import os, sys
feedback = sys.argv[3]
with open(feedback + "judgemessage.txt", "a") as f: f.write("pass ")
n = int(sys.stdin.read())
if n != int(open(sys.argv[1]).read()): sys.exit(43)
if n < 16: open(feedback + "nextpass.in", "w").write(str(n * 2))
sys.exit(42)`;
  const passes = (source: string, validator: string, most: number): JudgeRequest => ({
    language: "python",
    source,
    tests: [{ input: "2", answer: "" }],
    validator: { language: "python", files: { "check.py": validator } },
    manifest: { passes: most },
  });
  test("the program runs again on what the validator makes up, whose feedback stays", async () => {
    const { tests } = await judging.judge(passes(echo, DOUBLE, 4));
    expect(tests).toMatchObject([{ verdict: "AC", judgeMessage: "pass pass pass pass " }]);
  });
  test("ends at the first pass that is rejected or crashes", async () => {
    const wrong = await judging.judge(passes("n = int(input()); print(n if n < 8 else 1)", DOUBLE, 4));
    expect(wrong.tests).toMatchObject([{ verdict: "WA", judgeMessage: "pass pass pass " }]);
    const crash = await judging.judge(passes("n = int(input()); print(n if n < 8 else 1 // 0)", DOUBLE, 4));
    expect(crash.tests).toMatchObject([{ verdict: "RTE" }]);
  });
  test.each([
    ["more passes than the problem allows", DOUBLE, /asks for more than 3 passes/],
    [
      "another pass of what it rejects",
      "import sys\nopen(sys.argv[3] + 'nextpass.in', 'w')\nsys.exit(43)",
      /although it rejected/,
    ],
    [
      "a pass on a link",
      "import os, sys\nos.symlink('/data/answer', sys.argv[3] + 'nextpass.in')\nsys.exit(42)",
      /no file or too large/,
    ],
  ])("a validator that asks for %s is at fault", async (_what, validator, message) => {
    expect(await faultOf(passes(echo, validator, 3))).toMatch(message);
  });
});

describe("scores of a validator", () => {
  const scored = (write: string): JudgeRequest => ({
    language: "python",
    source: echo,
    tests: [{ input: "0.5", answer: "" }],
    validator: {
      language: "python",
      files: { "check.py": `import sys\nout = sys.argv[3]\ngot = sys.stdin.read()\n${write}\nsys.exit(42)` },
    },
    manifest: {
      scoring: true,
      groups: [
        { name: "", breaks: false, grading: { type: "aggregate", by: "sum", maxScore: 10, testScore: 10 } },
      ],
    },
  });
  test.each([
    ["score.txt", "open(out + 'score.txt', 'w').write('3.5\\n')", 3.5],
    ["score_multiplier.txt", "open(out + 'score_multiplier.txt', 'w').write(got)", 5],
    ["neither", "", 10],
  ])("%s", async (_what, write, score) => {
    expect(await judging.judge(scored(write))).toMatchObject({ verdict: "AC", score, tests: [{ score }] });
  });
  test.each([
    ["both", "for n in ['score', 'score_multiplier']: open(out + n + '.txt', 'w').write('1')", /gave both/],
    ["words", "open(out + 'score.txt', 'w').write('many')", /wrote "many" into score.txt/],
    ["a negative one", "open(out + 'score.txt', 'w').write('-1')", /wrote "-1"/],
    ["too many", "open(out + 'score.txt', 'w').write('11')", /gave the score 11/],
    [
      "one for what it rejects",
      "open(out + 'score.txt', 'w').write('1')\nsys.exit(43)",
      /although it rejected/,
    ],
  ])("%s: at fault", async (_what, write, message) => {
    expect(await faultOf(scored(write))).toMatch(message);
  });
});

test("a validator that brings build and run scripts", async () => {
  const judge = (n: number) =>
    judging.judge({
      language: "python",
      source: echo,
      tests: [{ input: `${n}`, answer: "" }],
      validator: {
        language: "bash",
        files: {
          build: "#!/bin/sh\ncc -O1 -o jury jury.c\n",
          run: '#!/usr/bin/env sh\nHERE=$(dirname -- "$0")\nexec "$HERE/jury" "$@"\n',
          "jury.c":
            '#include <stdio.h>\nint main(void) { int n; return scanf("%d", &n) == 1 && n == 7 ? 42 : 43; }',
        },
        script: true,
      },
    });
  expect((await judge(7)).verdict).toBe("AC");
  expect((await judge(8)).verdict).toBe("WA");
});

test("a build script that fails is the problem's fault", async () => {
  const request: JudgeRequest = {
    language: "python",
    source: echo,
    validator: { language: "bash", files: { build: "echo no such luck\nexit 3\n" }, script: true },
  };
  const outcome = await judging.outcome(request);
  if (outcome.type !== "fault") throw new Error(JSON.stringify(outcome));
  expect(outcome.fault).toMatchObject({ code: "VALIDATOR_FAILED", log: "no such luck" });
});

describe("testlib's protocol", () => {
  /** Ends as it is told by the output, like a checker: input, output, answer. */
  const CHECKER = `import sys
code = int(open(sys.argv[2]).read())
assert open(sys.argv[1]).read() == "in" and open(sys.argv[3]).read() == "ans"
sys.stderr.write("checked\\n")
sys.exit(code)`;
  const checked = (code: number): JudgeRequest => ({
    language: "python",
    source: `print(${code})`,
    tests: [{ input: "in", answer: "ans" }],
    validator: { language: "python", files: { "check.py": CHECKER }, testlib: true },
  });
  test.each([
    [0, "AC"],
    [1, "WA"],
    [2, "WA"],
    [8, "WA"],
  ] as const)("exit code %i is %s", async (code, verdict) => {
    const { tests } = await judging.judge(checked(code));
    expect(tests).toMatchObject([{ verdict, judgeMessage: "checked\n" }]);
  });
  test("50 and more are points", async () => {
    const result = await judging.judge({
      ...checked(75),
      manifest: {
        scoring: true,
        groups: [
          {
            name: "",
            breaks: false,
            grading: { type: "aggregate", by: "sum", maxScore: 100, testScore: 100 },
          },
        ],
      },
    });
    expect(result).toMatchObject({ verdict: "AC", score: 25 });
  });
  test("3 is the checker's own fault", async () => {
    expect(await faultOf(checked(3))).toMatch(/exited with 3 \(testlib's FAIL\)/);
  });
});
