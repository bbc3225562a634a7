import { afterAll, beforeAll, expect, it } from "vitest";
import { LANGUAGE_IDS, type LanguageId } from "../../../src/shared/language.ts";
import type { Verdict } from "../../../src/shared/verdict.ts";
import { type Judging, openJudging } from "../../executors/judge/harness.ts";
import { findLanguages, type FoundLanguages } from "../../executors/judge/toolchains.ts";

/**
 * Whole jobs that mean harm, in every language, through judge, compiler and sandbox: each ends with a verdict and
 * never a fault, and the next job on the same slot is judged as if nothing had been.
 */
let languages: FoundLanguages;
let judging: Judging;
beforeAll(async () => {
  languages = await findLanguages(LANGUAGE_IDS);
  judging = await openJudging(languages);
}, 180_000);
afterAll(async () => {
  await judging.close();
});

interface Attack {
  readonly name: string;
  readonly language: LanguageId;
  readonly source: string;
  readonly verdict: Verdict;
  /** As good an end. */
  readonly or?: Verdict;
  readonly next: LanguageId;
}

const ANSWER = "the-secret-answer";
const NEXT: Readonly<Partial<Record<LanguageId, string>>> = {
  python: "print(int(input()) + 1)",
  javascript: "console.log(Number(require('fs').readFileSync(0, 'utf8')) + 1)",
};

const ATTACKS: readonly Attack[] = [
  {
    name: "a fork bomb",
    language: "c",
    source: "#include <unistd.h>\nint main(void){ for(;;) fork(); }",
    verdict: "TLE",
    // The kernel charges each task until it has been cleared away: on a quick machine that comes first.
    or: "MLE",
    next: "python",
  },
  {
    name: "a daemon that lives on",
    language: "c",
    source:
      '#include <unistd.h>\n#include <stdio.h>\nint main(void){ if (fork() == 0) { setsid(); for(;;) pause(); } puts("2"); }',
    verdict: "AC",
    next: "python",
  },
  {
    name: "output without an end",
    language: "cpp",
    source: '#include <iostream>\nint main(){ for(;;) std::cout << "0123456789"; }',
    verdict: "OLE",
    next: "python",
  },
  {
    name: "a thread bomb",
    language: "java",
    source:
      "public class Main { public static void main(String[] a) { for (;;) { Thread t = new Thread(() -> { try { Thread.sleep(100000); } catch (Exception e) { } }); t.setDaemon(true); t.start(); } } }",
    verdict: "RTE",
    next: "python",
  },
  {
    name: "memory",
    language: "java",
    source:
      "import java.util.*;\npublic class Main { public static void main(String[] a) { List<long[]> l = new ArrayList<>(); for (;;) l.add(new long[1 << 16]); } }",
    verdict: "MLE",
    next: "python",
  },
  {
    name: "memory by goroutines",
    language: "go",
    source:
      "package main\nfunc main() { c := make(chan int); for { go func() { var b [4096]byte; b[0] = 1; <-c; _ = b }() } }",
    verdict: "MLE",
    next: "python",
  },
  {
    name: "a processor for every thread",
    language: "rust",
    source:
      "use std::thread;\nfn main() { let h: Vec<_> = (0..8).map(|_| thread::spawn(|| loop { std::hint::spin_loop() })).collect(); for t in h { t.join().unwrap(); } }",
    verdict: "TLE",
    next: "python",
  },
  {
    name: "the network",
    language: "python",
    source: "import urllib.request\nprint(urllib.request.urlopen('http://127.0.0.1:4222').read())",
    verdict: "RTE",
    next: "python",
  },
  {
    name: "a search for the answer",
    language: "python",
    source: `import os
for top, folders, files in os.walk('/'):
  if top.startswith(('/usr', '/proc', '/opt', '/dev')): folders.clear(); continue
  for name in files:
    try:
      text = open(os.path.join(top, name), errors='replace').read(100000)
      if '${ANSWER[0]}' + '${ANSWER.slice(1)}' in text and name != 'main.py': print(text)
    except OSError: pass
print('nothing')`,
    verdict: "WA",
    next: "python",
  },
  {
    name: "stopping all",
    language: "python",
    source: "import os\nos.kill(0, 19)\nos.kill(-1, 19)",
    verdict: "TLE",
    next: "python",
  },
  {
    name: "a loop of promises",
    language: "javascript",
    source: "const f = () => { Promise.resolve().then(f); }; f();",
    verdict: "TLE",
    next: "javascript",
  },
  {
    name: "memory in WebAssembly",
    language: "javascript",
    source:
      "const all = []; for (;;) { const m = new WebAssembly.Memory({ initial: 256 }); new Uint8Array(m.buffer).fill(1); all.push(m); }",
    verdict: "MLE",
    next: "javascript",
  },
  {
    name: "poisoned prototypes",
    language: "javascript",
    source:
      "Array.prototype.map = Object.prototype.toString = String.prototype.trim = () => { for (;;); }; console.log(2)",
    verdict: "AC",
    next: "javascript",
  },
  {
    name: "a compiler that reads the host",
    language: "c",
    source: '#include "/etc/shadow"\nint main(void){ return 0; }',
    verdict: "CE",
    next: "python",
  },
  {
    name: "a compiler without an end",
    language: "cpp",
    source: '#include "/dev/zero"\nint main(){}',
    verdict: "CE",
    next: "python",
  },
  {
    name: "templates without an end",
    language: "cpp",
    source:
      "template <int N> struct A { A<N + 1> *a; int b = A<N + 1>().b; };\nint main(){ return A<0>().b; }",
    verdict: "CE",
    next: "python",
  },
];

it.for(ATTACKS)(
  "$language: $name",
  { timeout: 90_000 },
  async ({ language, source, verdict, or, next }, { skip }) => {
    skip(languages.usable(language) === undefined, `no toolchain for ${language} here`);
    const result = await judging.judge({
      language,
      source,
      limits: {
        timeMs: verdict === "TLE" ? 300 : 3_000,
        memoryMiB: 96,
        compilationTimeMs: 8_000,
        compilationMemoryMiB: 512,
      },
      tests: [{ input: "1\n", answer: verdict === "AC" ? "2\n" : `${ANSWER}\n` }],
    });
    expect([verdict, or], JSON.stringify(result)).toContain(result.verdict);
    expect(JSON.stringify(result.compile)).not.toMatch(/root:[^"]*:/);
    expect(result.tests[0]?.judgeMessage ?? "").not.toContain("root:");

    const after = await judging.judge({
      language: next,
      source: NEXT[next] ?? "",
      tests: [{ input: "41\n", answer: "42\n" }],
    });
    expect(after.verdict, JSON.stringify(after)).toBe("AC");
    expect(judging.pins()).toBe(0);
  },
);
