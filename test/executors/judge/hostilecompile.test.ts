import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { LanguageId } from "../../../src/shared/language.ts";
import { type Judging, openJudging } from "./harness.ts";
import { findLanguages, type FoundLanguages } from "./toolchains.ts";

/**
 * Sources that mean harm to whoever compiles them. Each ends as a compile error (or as a program that does no harm),
 * nothing of the host is in what the owner is told, and the next job finds everything as it was.
 */
const SECRET = `docket-secret-${process.pid}`;
const SECRET_FILE = `/tmp/${SECRET}`;

const C: readonly (readonly [what: string, source: string])[] = [
  ["includes the host's passwords", '#include "/etc/shadow"\nint main(void) { return 0; }'],
  ["includes a file of the host", `#include "${SECRET_FILE}"\nint main(void) { return 0; }`],
  ["includes a device without end", '#include "/dev/zero"\nint main(void) { return 0; }'],
  ["includes random bytes without end", '#include "/dev/urandom"\nint main(void) { return 0; }'],
  ["includes its own standard input", '#include "/dev/stdin"\nint main(void) { return 0 }'],
  ["includes the compiler's environment", '#include "/proc/self/environ"\nint main(void) { return 0; }'],
  ["includes the first process's memory", '#include "/proc/1/mem"\nint main(void) { return 0; }'],
  ["includes itself for ever", '#include "main.c"\nint main(void) { return 0; }'],
  [
    "takes a file of the host into the program",
    `asm(".incbin \\"${SECRET_FILE}\\""); int main(void) { return 1; }`,
  ],
  ["takes a device into the program", 'asm(".incbin \\"/dev/zero\\""); int main(void) { return 1; }'],
  ["makes a program larger than any disk", "char a[1ull << 40] = {1};\nint main(void) { return a[5]; }"],
  [
    "fills memory by the assembler",
    'asm(".rept 1000000000\\n.quad 1\\n.endr"); int main(void) { return 1; }',
  ],
  [
    "is a bomb of macros",
    `#define A0 x x x x x x x x x x\n${Array.from({ length: 9 }, (_, i) => `#define A${i + 1} ${`A${i} `.repeat(10)}`).join("\n")}\nint main(void) { A9 }`,
  ],
  ["warns without end", `int main(void) {\n${"  int x = y;\n".repeat(5_000)}}`],
  [
    "asks for a plugin",
    '#pragma GCC plugin "/box/evil.so"\n#pragma GCC dependency "/etc/shadow"\nint main(void) { return 0 }',
  ],
];
const CPP: readonly (readonly [what: string, source: string])[] = [
  [
    "is a bomb of templates",
    "template <int N> struct A { typename A<N - 1>::T a; typename A<N - 2>::T b; struct T { A<N - 1> x; A<N - 2> y; }; };\nint main() { A<100000> a; }",
  ],
  [
    "computes for ever while it is compiled",
    "constexpr long f(long n) { return n < 2 ? n : f(n - 1) + f(n - 2) + f(n - 3); }\nstatic_assert(f(60) > 0);\nint main() {}",
  ],
];
const OTHERS: readonly (readonly [LanguageId, what: string, source: string])[] = [
  ["rust", "takes the host's passwords", 'fn main() { print!("{}", include_str!("/etc/shadow")); }'],
  ["rust", "takes a device without end", 'fn main() { print!("{}", include_bytes!("/dev/zero").len()); }'],
  [
    "rust",
    "is a bomb of macros",
    "macro_rules! m { ($($t:tt)*) => { m!($($t)* $($t)* x) } }\nfn main() { m!(x); }",
  ],
  [
    "go",
    "embeds a file of the host",
    'package main\nimport _ "embed"\n//go:embed /etc/passwd\nvar s string\nfunc main() { print(s) }',
  ],
  ["go", "calls C", 'package main\n// #include "/etc/shadow"\nimport "C"\nfunc main() {}'],
  [
    "java",
    "nests without end",
    `public class Main { public static void main(String[] a) { int x = ${"(".repeat(20_000)}1${")".repeat(20_000)}; } }`,
  ],
  ["python", "nests without end", `x = ${"(".repeat(5_000)}1${")".repeat(5_000)}`],
  ["python", "is a bomb of constants", "x = ((((((1 << 60) ** 99) ** 99) ** 99) ** 99) ** 99)"],
  ["javascript", "nests without end", `x = ${"[".repeat(60_000)}`],
];

let languages: FoundLanguages;
let judging: Judging;
beforeAll(async () => {
  languages = await findLanguages(["c", "cpp", "rust", "go", "java", "python", "javascript"]);
  judging = await openJudging(languages);
  writeFileSync(SECRET_FILE, `${SECRET} is not to be read`);
}, 300_000);
afterAll(async () => {
  await judging.close();
  expect(readFileSync(SECRET_FILE, "utf8")).toContain("not to be read");
  rmSync(SECRET_FILE);
});
afterEach(async () => {
  expect(readdirSync(join(judging.workDir, "jobs"))).toEqual([]);
  expect(judging.pins()).toBe(0);
  const next = await judging.judge({
    language: "c",
    source: '#include <stdio.h>\nint main(void) { int n; scanf("%d", &n); printf("%d\\n", n + 1); }',
  });
  expect(next.verdict).toBe("AC");
});

const CASES = [
  ...C.map(([what, source]) => ["c", what, source] as const),
  ...CPP.map(([what, source]) => ["cpp", what, source] as const),
  ...OTHERS,
] as const;

test.for(CASES)("%s: one that %s", async ([language, what, source], { skip }) => {
  skip(languages.usable(language) === undefined, `no toolchain for ${language} here`);
  const result = await judging.judge({
    language,
    source,
    limits: { compilationTimeMs: 3_000, compilationMemoryMiB: 512 },
  });
  const told = JSON.stringify(result);
  expect(["CE", "RTE", "TLE", "MLE", "WA"], what).toContain(result.verdict);
  expect(told).not.toContain("is not to be read");
  expect(told).not.toMatch(/root:[^x]/);
  expect(result.compile?.message.length).toBeLessThanOrEqual(4_000);
});

test("files beside the source are no part of the compiler", async () => {
  const marker = join("/tmp", `docket-ran-${process.pid}`);
  const script = `#!/bin/sh\necho ran >${marker}\nexit 0\n`;
  const beside = ["as.h", "cc1.h", "ld.h", "collect2.h", "specs.h"].map((name) => [name, script] as const);
  const result = await judging.judge({
    language: "c",
    source: { "main.c": '#include <stdio.h>\nint main(void) { puts("2"); }', ...Object.fromEntries(beside) },
  });
  expect(result.verdict).toBe("AC");
  expect(existsSync(marker)).toBe(false);
});
