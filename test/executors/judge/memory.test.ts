import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ranOutOfMemory } from "../../../src/executors/judge/outofmemory.ts";
import { DEFAULT_LIMITS } from "../../../src/shared/limits.ts";
import type { LanguageId } from "../../../src/shared/language.ts";
import { type Judging, openJudging } from "./harness.ts";
import { findLanguages, type FoundLanguages } from "./toolchains.ts";

/** A program that its runtime ends for want of memory is MLE, though the control group never saw that memory. */
const ASKS_TOO_MUCH: Readonly<Partial<Record<LanguageId, string>>> = {
  cpp: "#include <vector>\nint main(int argc, char **) { std::vector<char> v(argc * (1ull << 60)); return v.size() == 1; }",
  python: "a = bytearray(1 << 50)",
  java: "public class Main { public static void main(String[] a) { long[] x = new long[1 << 30]; System.out.println(x.length); } }",
  go: 'package main\nimport "fmt"\nfunc main() { n := 47; a := make([]byte, 1<<n-1<<20); fmt.Println(len(a)) }',
  rust: 'fn main() { let v: Vec<u8> = Vec::with_capacity(std::hint::black_box(1usize << 60)); println!("{}", v.capacity()); }',
  javascript: "const a = new ArrayBuffer(2 ** 44); console.log(a.byteLength);",
};
const CRASHES: Readonly<Partial<Record<LanguageId, string>>> = {
  cpp: '#include <stdexcept>\nint main() { throw std::runtime_error("bad_alloc is not what happened"); }',
  python: "raise ValueError('MemoryError is not what happened')",
  java: 'public class Main { public static void main(String[] a) { throw new IllegalStateException("OutOfMemoryError is not what happened"); } }',
  go: 'package main\nfunc main() { panic("out of memory is not what happened") }',
  rust: 'fn main() { panic!("memory allocation is not what happened") }',
  javascript: 'throw new RangeError("allocation failed is not what happened");',
};
const LANGUAGES = ["cpp", "python", "java", "go", "rust", "javascript"] as const;

let languages: FoundLanguages;
let judging: Judging;
beforeAll(async () => {
  languages = await findLanguages(LANGUAGES);
  judging = await openJudging(languages);
}, 300_000);
afterAll(async () => await judging.close());

test.for(LANGUAGES)("%s: asking for more than there is", async (language, { skip }) => {
  skip(languages.usable(language) === undefined, `no toolchain for ${language} here`);
  const result = await judging.judge({ language, source: ASKS_TOO_MUCH[language] ?? "" });
  expect(result).toMatchObject({
    verdict: "MLE",
    tests: [{ exit: expect.stringMatching(/^(exit code|SIG)/) }],
  });
  expect(result.tests[0]?.errorOutput).toMatch(/./);
});

test.for(LANGUAGES)(
  "%s: a crash is a crash, with its last words for the jury",
  async (language, { skip }) => {
    skip(languages.usable(language) === undefined, `no toolchain for ${language} here`);
    const result = await judging.judge({ language, source: CRASHES[language] ?? "" });
    expect(result.verdict).toBe("RTE");
    expect(result.tests[0]?.errorOutput).toMatch(/not what happened/);
  },
);

describe("error output", () => {
  const judge = async (source: string, answer = "2\n") =>
    (await judging.judge({ language: "python", source, tests: [{ input: "1\n", answer }] })).tests[0];

  test("is not kept of a program that is right", async () => {
    const report = await judge("import sys\nprint('debug', file=sys.stderr)\nprint(2)");
    expect(report).toMatchObject({ verdict: "AC" });
    expect(report).not.toHaveProperty("errorOutput");
  });

  test("keeps beginning and end of what is long, without what could confuse a terminal", async () => {
    const report = await judge(
      "import sys\nsys.stderr.write('\\x1b[31mfirst\\x07 ' + 'x' * 5000 + '\\u00e9' * 5000 + ' last')\nprint(3)",
    );
    expect(report?.verdict).toBe("WA");
    expect(report?.errorOutput).toMatch(/^first x+\n…\né+ last$/);
    expect(report?.errorOutput?.length).toBeLessThanOrEqual(DEFAULT_LIMITS.errorOutputCharacters + 3);
  });

  test("counts against the output limit", async () => {
    expect(await judge("import sys\nwhile True: sys.stderr.write('x' * 1000)")).toMatchObject({
      verdict: "OLE",
    });
  });
});

test.each<[LanguageId, string]>([
  [
    "kotlin",
    'Exception in thread "main" java.lang.OutOfMemoryError: Java heap space\n\tat Main.main(Main.kt:1)',
  ],
  ["pypy", 'Traceback (most recent call last):\n  File "main.py", line 1\nMemoryError\n'],
  ["csharp", "Out of memory.\n"],
  ["csharp", "Unhandled exception. System.OutOfMemoryException: Array dimensions exceeded supported range."],
  ["ruby", "main.rb:1:in `*': failed to allocate memory (NoMemoryError)"],
  ["php", "PHP Fatal error:  Allowed memory size of 268435456 bytes exhausted (tried to allocate 99 bytes)"],
  ["perl", "Out of memory!\n"],
  ["lua", "lua5.4: not enough memory\n"],
  ["haskell", "program: Heap exhausted;\n"],
  ["ocaml", "Fatal error: exception Out_of_memory\n"],
  ["ocaml", "Fatal error: exception Stdlib.Out_of_memory\n"],
  ["pascal", "Runtime error 203 at $0000000000401234\n"],
  ["go", "fatal error: runtime: out of memory\n\nruntime stack:"],
  ["javascript", "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"],
])("%s: %j are the words of a runtime without memory", (language, words) => {
  expect(ranOutOfMemory(language, words)).toBe(true);
  expect(ranOutOfMemory("c", words)).toBe(false);
});
