import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../../src/shared/limits.ts";
import type { TestReport } from "../../../src/shared/judging.ts";
import { type Judging, openJudging } from "./harness.ts";
import { SEARCH } from "./search.ts";
import { findLanguages } from "./toolchains.ts";

let judging: Judging;
beforeAll(async () => {
  judging = await openJudging(await findLanguages(["python", "c", "javascript"]));
}, 60_000);
afterAll(async () => await judging.close());
afterEach(() => {
  expect(readdirSync(join(judging.workDir, "jobs"))).toEqual([]);
  expect(judging.pins()).toBe(0);
});

/** Twice a wall limit that grows with the load: on a busy machine a TLE is run again. Milliseconds. */
const SLOW_MS = 120_000;

/** The program has to find the number of the input file within ten guesses, and to say nothing after it. */
const GUESS = `import sys
number = int(open(sys.argv[1]).read())
def reject(why):
    open(sys.argv[3] + "judgemessage.txt", "w").write(why)
    sys.exit(43)
for _ in range(10):
    line = sys.stdin.readline()
    if not line.strip().isdigit(): reject(f"no number: {line!r}")
    guess = int(line)
    print("correct" if guess == number else "higher" if guess < number else "lower", flush=True)
    if guess == number: break
else: reject("ten guesses")
if sys.stdin.read(): reject("trailing output")
sys.exit(42)`;

const interact = async (
  source: string,
  validator = GUESS,
  language: "python" | "c" | "javascript" = "python",
) =>
  await judging.outcome({
    language,
    source,
    tests: [{ input: "700", answer: "" }],
    validator: { language: "python", files: { "check.py": validator } },
    limits: { timeMs: 300, validationTimeMs: 500 },
    manifest: { interactive: true },
  });

async function reportOf(...args: Parameters<typeof interact>): Promise<TestReport | undefined> {
  const outcome = await interact(...args);
  if (outcome.type !== "finished") throw new Error(JSON.stringify(outcome));
  return (outcome.result as { tests: TestReport[] }).tests[0];
}

test("a program that asks and answers is accepted", async () => {
  const report = await reportOf(SEARCH);
  expect(report).toMatchObject({ verdict: "AC" });
  expect(report?.transcript).toBeUndefined();
});

test.each<[string, string, string]>([
  ["is rejected by the validator", "print(0)\nprint('x')", "WA"],
  ["is rejected and would never end", "print('x', flush=True)\nwhile True: pass", "WA"],
  ["is rejected and then crashes for want of an answer", "print('x', flush=True)\ninput()", "WA"],
  ["says too much", SEARCH + "print('more')", "WA"],
  ["crashes at once", "raise SystemExit(1)", "RTE"],
  ["crashes after the right answer", SEARCH + "raise SystemExit(1)", "RTE"],
  ["crashes in the middle", "print(500, flush=True)\ninput()\nraise SystemExit(1)", "RTE"],
  ["closes its output and crashes", "import os\nos.close(1)\nraise SystemExit(1)", "RTE"],
  ["waits for an answer that it has not asked for", "input()", "TLE"],
  ["counts for ever", "while True: pass", "TLE"],
  ["counts for ever after the right answer", SEARCH + "while True: pass", "TLE"],
  ["ends without a word", "", "WA"],
])("one that %s", { timeout: SLOW_MS }, async (_what, source, verdict) => {
  expect(await reportOf(source)).toMatchObject({ verdict });
});

test(
  "one that is near its limit is run again alone, with a validator that starts anew",
  { timeout: SLOW_MS },
  async () => {
    const outcome = await judging.outcome({
      language: "c",
      source: `#include <stdio.h>
#include <time.h>
int main(void) {
  char answer[16];
  puts("700");
  fflush(stdout);
  while (clock() < 1.03 * CLOCKS_PER_SEC);
  return scanf("%15s", answer) != 1;
}`,
      tests: [{ input: "700", answer: "" }],
      validator: {
        language: "python",
        files: { "check.py": `import sys\nopen(sys.argv[3] + "been-here", "x")\n${GUESS}` },
      },
      limits: { timeMs: 1_000 },
      manifest: { interactive: true },
    });
    expect(outcome).toMatchObject({
      type: "finished",
      result: { verdict: "TLE", tests: [{ verdict: "TLE", rerunAlone: { reason: "nearLimit" } }] },
    });
  },
);

test("of a long conversation the beginning is kept, up to transcriptCharacters", async () => {
  const report = await reportOf("print('x' * 100_000, flush=True)\ninput()");
  const { length } = report?.transcript ?? "";
  expect(length).toBeGreaterThan(DEFAULT_LIMITS.transcriptCharacters / 2);
  expect(length).toBeLessThanOrEqual(DEFAULT_LIMITS.transcriptCharacters);
});

test("the jury sees what was said, in order", async () => {
  const report = await reportOf("print(500, flush=True)\ninput()\nprint(1, flush=True)\ninput()\nprint('x')");
  expect(report).toMatchObject({
    verdict: "WA",
    judgeMessage: "no number: 'x\\n'",
    transcript: "> 500\n< higher\n> 1\n< higher\n> x",
  });
});

test("a validator's closed output is the end of the program's input", async () => {
  const whole = `import sys, os
sys.stdout.write("3 4 5\\n"); sys.stdout.flush(); os.close(1)
sys.exit(42 if sys.stdin.read().split() == ["12"] else 43)`;
  expect(await reportOf("import sys\nprint(sum(map(int, sys.stdin.read().split())))", whole)).toMatchObject({
    verdict: "AC",
  });
});

test("what a program says to a validator that has accepted does not kill it", async () => {
  const lenient = "import sys\ninput()\nsys.exit(42)";
  const talks =
    "import time\nprint(1, flush=True)\ntime.sleep(0.3)\nfor _ in range(300): print('x' * 1000, flush=True)";
  expect(await reportOf(talks, lenient)).toMatchObject({ verdict: "AC" });
});

test("what a validator says to a program that has ended does not kill it", async () => {
  const talks = `import sys
for _ in range(300): print("x" * 1000)
sys.stdout.flush()
sys.exit(43 if sys.stdin.read() == "" else 42)`;
  expect(await reportOf("", talks)).toMatchObject({ verdict: "WA" });
});

test.each<[string, string, RegExp]>([
  ["crashes", "raise RuntimeError('oh dear')", /exited with 1/],
  ["dies of a signal", "import os; os.kill(os.getpid(), 11)", /crashed \(SIGSEGV\)/],
  [
    "hangs once the program has ended",
    "import sys\nsys.stdin.read()\nwhile True: pass",
    /went over its cpu limit/,
  ],
])("a validator that %s is a fault", async (_how, validator, message) => {
  const outcome = await interact("print(1)", validator);
  if (outcome.type !== "fault") throw new Error(JSON.stringify(outcome));
  expect(outcome.fault).toMatchObject({ code: "VALIDATOR_FAILED", retry: false });
  expect(outcome.fault.message).toMatch(message);
});

test("programs in C and in JavaScript", async () => {
  const c = `#include <stdio.h>
#include <string.h>
int main(void) { int lo = 1, hi = 1000; char r[20];
  for (;;) { int m = (lo + hi) / 2; printf("%d\\n", m); fflush(stdout);
    if (scanf("%19s", r) != 1) return 1;
    if (!strcmp(r, "correct")) return 0;
    if (!strcmp(r, "lower")) hi = m - 1; else lo = m + 1; } }`;
  const javascript = `let lo = 1, hi = 1000, m;
const ask = () => console.log(m = (lo + hi) >> 1);
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  if (line === "correct") process.exit(0);
  if (line === "lower") hi = m - 1; else lo = m + 1;
  ask();
});
ask();`;
  expect(await reportOf(c, GUESS, "c")).toMatchObject({ verdict: "AC" });
  expect(await reportOf(javascript, GUESS, "javascript")).toMatchObject({ verdict: "AC" });
});

test("a cancelled one leaves nothing", async () => {
  const controller = new AbortController();
  const run = judging.outcome({
    language: "python",
    source: "input()",
    tests: [{ input: "1", answer: "" }],
    validator: { language: "python", files: { "check.py": GUESS } },
    manifest: { interactive: true },
    signal: controller.signal,
    onReport: () => setTimeout(() => controller.abort(), 100),
  });
  expect(await run).toEqual({ type: "stopped" });
});
