import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../../src/shared/limits.ts";
import type { LanguageId } from "../../../src/shared/language.ts";
import { type Judging, openJudging } from "./harness.ts";
import { findLanguages, type FoundLanguages } from "./toolchains.ts";

let languages: FoundLanguages;
let judging: Judging;
beforeAll(async () => {
  languages = await findLanguages(["c", "cpp", "java", "python"]);
  judging = await openJudging(languages);
}, 60_000);
afterAll(async () => await judging.close());
afterEach(() => {
  expect(readdirSync(join(judging.workDir, "jobs"))).toEqual([]);
  expect(judging.pins()).toBe(0);
});

const echo = "import sys; sys.stdout.write(sys.stdin.read())";
const outcome = (source: string, output = "5\n", validatorArgs: readonly string[] = []) =>
  judging.outcome({
    language: "python",
    source: echo,
    tests: [{ input: output, answer: "answer\n" }],
    validator: { language: "python", files: { "check.py": source } },
    validatorArgs,
    limits: { validationTimeMs: 500 },
  });

test("what a validator tells the jury is kept up to judgeMessageCharacters", async () => {
  const chatty = "import sys\nopen(sys.argv[3] + 'judgemessage.txt', 'w').write('m' * 5000)\nsys.exit(43)";
  const ended = await outcome(chatty);
  const kept = "m".repeat(DEFAULT_LIMITS.judgeMessageCharacters);
  expect(ended).toMatchObject({
    type: "finished",
    result: { tests: [{ verdict: "WA", judgeMessage: kept }] },
  });
});

/** Accepts any number of which the square is the second argument; tells jury and owner different things. */
const SQUARE: Readonly<Record<"c" | "cpp" | "java" | "python", Readonly<Record<string, string>>>> = {
  java: {
    "Check.java": `import java.nio.file.*;
public class Check {
  public static void main(String[] args) throws Exception {
    Files.writeString(Path.of(args[2], "judgemessage.txt"), "square checked");
    Files.writeString(Path.of(args[2], "teammessage.txt"), "look again");
    long n = new java.util.Scanner(System.in).nextLong();
    System.exit(n * n == Long.parseLong(args[3]) ? 42 : 43);
  }
}`,
  },
  c: {
    "check.c": `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv) {
  char path[500]; long n;
  snprintf(path, sizeof path, "%sjudgemessage.txt", argv[3]);
  fputs("square checked", fopen(path, "w"));
  snprintf(path, sizeof path, "%steammessage.txt", argv[3]);
  fputs("look again", fopen(path, "w"));
  if (scanf("%ld", &n) != 1) return 43;
  return n * n == atol(argv[4]) ? 42 : 43;
}`,
  },
  cpp: {
    "check.cpp": `#include "check.h"
int main(int argc, char **argv) {
  std::string dir = argv[3]; long n;
  std::ofstream(dir + "judgemessage.txt") << "square checked";
  std::ofstream(dir + "teammessage.txt") << "look again";
  return std::cin >> n && n * n == std::stol(argv[4]) ? 42 : 43;
}`,
    "check.h": "#include <fstream>\n#include <iostream>\n#include <string>",
  },
  python: {
    "check.py": `import sys
from words import words
open(sys.argv[3] + "judgemessage.txt", "w").write(words)
open(sys.argv[3] + "teammessage.txt", "w").write("look again")
sys.exit(42 if int(input()) ** 2 == int(sys.argv[4]) else 43)`,
    "words.py": `words = "square checked"`,
  },
};

test.for(["c", "cpp", "java", "python"] as const)(
  "a validator in %s accepts and rejects, with its words",
  async (language, { skip }) => {
    skip(languages.usable(language) === undefined, `no toolchain for ${language} here`);
    const judge = (n: number) =>
      judging.judge({
        language: "python",
        source: echo,
        tests: [{ input: `${n}\n`, answer: "" }],
        validator: { language, files: SQUARE[language] },
        validatorArgs: ["49"],
      });
    const words = { judgeMessage: "square checked", teamMessage: "look again" };
    expect(await judge(-7)).toMatchObject({ verdict: "AC", tests: [{ verdict: "AC", ...words }] });
    expect(await judge(6)).toMatchObject({ verdict: "WA", tests: [{ verdict: "WA", ...words }] });
  },
);

test("it gets input, answer and output, read-only, and nothing of an earlier round", async () => {
  const spy = `import os, sys
inp, ans, feedback = sys.argv[1:4]
assert open(inp).read() == sys.stdin.read() and open(ans).read() == "answer\\n"
assert feedback.endswith("/") and os.listdir(feedback) == []
assert sys.argv[4:] == ["one", "two words"]
open(feedback + "judgemessage.txt", "w").write("x")
for path in [inp, ans, "/box/check.py", "/box/new"]:
    try: open(path, "a")
    except OSError: continue
    sys.exit(1)
sys.exit(42)`;
  const result = await judging.judge({
    language: "python",
    source: echo,
    tests: [1, 2].map((n) => ({ input: `${n}\n`, answer: "answer\n" })),
    validator: { language: "python", files: { "check.py": spy } },
    validatorArgs: ["one", "two words"],
  });
  expect(result.verdict).toBe("AC");
});

test("a test's own arguments replace the problem's", async () => {
  const result = await judging.judge({
    language: "python",
    source: echo,
    tests: [
      { input: "1", answer: "" },
      { input: "2", answer: "", validatorArgs: ["2"] },
    ],
    validator: {
      language: "python",
      files: { "check.py": "import sys; sys.exit(42 if sys.argv[4] == input() else 43)" },
    },
    validatorArgs: ["1"],
  });
  expect(result.verdict).toBe("AC");
});

test.each<[string, string, RegExp]>([
  ["crashes", "raise RuntimeError('oh dear')", /exited with 1 .*on test secret\/1/],
  ["dies of a signal", "import os; os.kill(os.getpid(), 11)", /crashed \(SIGSEGV\)/],
  ["hangs", "while True: pass", /went over its cpu limit/],
  ["sleeps", "import time; time.sleep(60)", /went over its wall limit/],
  [
    "floods its error output",
    "import sys\nwhile True: sys.stderr.write('x' * 9999)",
    /went over its output limit/,
  ],
  [
    "floods the feedback",
    "import sys\nf = open(sys.argv[3] + 'judgemessage.txt', 'w')\nwhile True: f.write('x' * 9999)",
    /./,
  ],
  ["eats memory", "a = []\nwhile True: a.append(bytearray(1 << 20))", /went over its memory limit/],
  ["exits with 0", "", /exited with 0/],
  ["does not compile", "print(", /does not compile/],
])("a validator that %s is a fault that no other try can mend", async (_how, source, message) => {
  const result = await outcome(source);
  if (result.type !== "fault") throw new Error(JSON.stringify(result));
  expect(result.fault).toMatchObject({ code: "VALIDATOR_FAILED", retry: false, shared: false });
  expect(result.fault.message).toMatch(message);
});

test("the fault carries what the validator said", async () => {
  const result = await outcome(
    "import sys\nopen(sys.argv[3] + 'judgemessage.txt', 'w').write('so far')\nraise RuntimeError('oh dear')",
  );
  if (result.type !== "fault") throw new Error(JSON.stringify(result));
  expect(result.fault.log).toMatch(/^so far\n.*RuntimeError: oh dear/s);
});

test("words of a validator are cut, cleaned and never read through a link", async () => {
  const long =
    "import sys\nopen(sys.argv[3] + 'judgemessage.txt', 'w').write('\\033[31mred\\a' + 'x' * 10**5)\nsys.exit(43)";
  const cut = await outcome(long);
  if (cut.type !== "finished") throw new Error(JSON.stringify(cut));
  expect(cut.result).toMatchObject({ tests: [{ judgeMessage: `red${"x".repeat(997)}` }] });
  for (const made of [
    "os.symlink('/etc/passwd', path)",
    "os.symlink('/data/answer', path)",
    "os.mkfifo(path)",
    "os.mkdir(path)",
    "open(path, 'w').write('x'); os.chmod(path, 0)",
  ]) {
    const result = await outcome(
      `import os, sys\npath = sys.argv[3] + 'teammessage.txt'\n${made}\nsys.exit(43)`,
    );
    if (result.type !== "finished") throw new Error(JSON.stringify(result));
    expect(result.result).toMatchObject({ verdict: "WA" });
    expect(JSON.stringify(result.result)).not.toContain("teamMessage");
  }
});

test("a validator is compiled once for all submissions", async () => {
  const files = { "check.c": `int main(void) { return 42; } // ${Math.random()}` };
  const judge = () =>
    judging.judge({
      language: "python",
      source: echo,
      validator: { language: "c" satisfies LanguageId, files },
    });
  await judge();
  const misses = await judging.metrics();
  await judge();
  const again = await judging.metrics();
  const missesOf = (text: string) => /result="miss"} (\d+)/.exec(text)?.[1];
  expect(missesOf(again)).toBe(missesOf(misses));
});

test("the default validator takes its flags from problem and test", async () => {
  const result = await judging.judge({
    language: "python",
    source: "print(0.5000001)",
    tests: [
      { input: "", answer: "0.5" },
      { input: "", answer: "0.5", validatorArgs: [] },
    ],
    validatorArgs: ["float_tolerance", "1e-6"],
    runAllTests: true,
  });
  expect(result.tests.map(({ verdict }) => verdict)).toEqual(["AC", "WA"]);
});
