import { existsSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { JudgeProgress } from "../../../src/shared/judging.ts";
import { DEFAULT_LIMITS } from "../../../src/shared/limits.ts";
import { type JudgeRequest, type Judging, openJudging } from "./harness.ts";
import { PROGRAMS } from "./programs.ts";
import { findLanguages } from "./toolchains.ts";

let judging: Judging;
beforeAll(async () => {
  judging = await openJudging(await findLanguages(["c", "python"]));
}, 60_000);
afterAll(async () => await judging.close());
afterEach(() => {
  // Whatever happened: nothing of a job is left and no blob is held.
  expect(readdirSync(join(judging.workDir, "jobs"))).toEqual([]);
  expect(judging.pins()).toBe(0);
});

const plusOne = [1, 2, 3, 4, 5].map((n) => ({ input: `${n}\n`, answer: `${n + 1}\n` }));
/** Wrong at 2, crashing at 3, too slow at 4. */
const moody = `n = int(input())
if n == 3: raise RuntimeError("three")
while n == 4: pass
print(n if n == 2 else n + 1)
`;

test("the first failing test ends the judging", async () => {
  const result = await judging.judge({ language: "python", source: moody, tests: plusOne });
  expect(result).toMatchObject({ verdict: "WA", testsTotal: 5 });
  expect(result.tests.map(({ name, verdict }) => `${name} ${verdict}`)).toEqual([
    "secret/1 AC",
    "secret/2 WA",
  ]);
  expect(result.tests[1]?.judgeMessage).toContain('output: "2"\nanswer: "3"');
  expect(result.tests[1]?.teamMessage).toBeUndefined();
});

test("or all tests run, and the first failing one in order still decides", async () => {
  const request: JudgeRequest = {
    language: "python",
    source: moody,
    tests: plusOne.toReversed(),
    runAllTests: true,
    limits: { timeMs: 300 },
  };
  const result = await judging.judge(request);
  expect(result.verdict).toBe("TLE");
  expect(result.tests.map(({ verdict }) => verdict)).toEqual(["AC", "TLE", "RTE", "WA", "AC"]);
  expect(result.tests[2]?.exit).toBe("exit code 1");
  expect(result.cpuMs).toBe(Math.max(...result.tests.map(({ cpuMs }) => cpuMs)));
});

test("a sleeper is too slow by the wall limit, and cheap in CPU time", async () => {
  const result = await judging.judge({
    language: "python",
    source: "import time; time.sleep(60)",
    limits: { timeMs: 100 },
  });
  expect(result.verdict).toBe("TLE");
  expect(result.cpuMs).toBeLessThan(200);
});

test("reports are cumulative, the compiler's first", async () => {
  const reports: [string, JudgeProgress][] = [];
  const onReport = (type: string, result: JudgeProgress) => void reports.push([type, result]);
  const result = await judging.judge({ language: "c", source: PROGRAMS.c.AC, tests: plusOne, onReport });
  expect(reports.map(([type, { tests }]) => [type, tests.length])).toEqual([
    ["compiled", 0],
    ...[1, 2, 3, 4, 5].map((n) => ["progress", n]),
  ]);
  for (const [, report] of reports) {
    expect(report.compile).toEqual(result.compile);
    expect(report.testsTotal).toBe(5);
    expect(report.tests).toEqual(result.tests.slice(0, report.tests.length));
  }
});

test("nothing that a test writes reaches the next one", async () => {
  const spy = `
import os
n = int(input())
places = ["/box/left", "/tmp/left", "/data/left", "/feedback/left", "/usr/left", "/dev/shm/left", "/left"]
left = [place for place in places if os.path.exists(place)]
for place in places:
    try: open(place, "w").write("x")
    except OSError: pass
print(left if left else n + 1)
`;
  expect(await judging.judge({ language: "python", source: spy, tests: plusOne })).toMatchObject({
    verdict: "AC",
  });
});

test("a program cannot see answers, other jobs or the executor's folder", async () => {
  const spy = `
import os, sys
n = int(input())
found = []
for root, folders, files in os.walk("/"):
    folders[:] = [f for f in folders if os.path.join(root, f) not in ("/usr", "/proc", "/etc", "/opt", "/dev")]
    found += [os.path.join(root, f) for f in files]
print(n + 1 if found == ["/box/main.py"] and not os.path.exists("${judging.workDir}") else found)
`;
  const result = await judging.judge({ language: "python", source: spy });
  expect(result.tests[0]?.judgeMessage ?? "").toBe("");
  expect(result.verdict).toBe("AC");
});

test("a program of several files", async () => {
  const source = {
    "main.c": `#include "lib/plus.h"\n#include <stdio.h>\nint main(void) { int n; scanf("%d", &n); printf("%d\\n", plus(n)); }`,
    "lib/plus.h": "static inline int plus(int n) { return n + 1; }",
  };
  expect(await judging.judge({ language: "c", source })).toMatchObject({ verdict: "AC" });
});

test("a compile error has the compiler's words, without our paths, and not too many", async () => {
  const words = await judging.judge({ language: "c", source: PROGRAMS.c.CE });
  expect(words.compile?.message).toMatch(/^main\.c: In function/);
  const flood = await judging.judge({ language: "c", source: "int main(void) { x;\n".repeat(2_000) });
  expect(flood.verdict).toBe("CE");
  expect(flood.compile?.message.length).toBe(DEFAULT_LIMITS.compileMessageCharacters);
});

test("compile limits are the program's, and said", async () => {
  const time = await judging.judge({
    language: "c",
    source: PROGRAMS.c.AC + "//t",
    limits: { compilationTimeMs: 1 },
  });
  expect(time.compile?.message).toContain("more than the 0.001 s of CPU time");
  const memory = await judging.judge({
    language: "c",
    source: PROGRAMS.c.AC + "//m",
    limits: { compilationMemoryMiB: 4 },
  });
  expect(memory.verdict).toBe("CE");
  expect(memory.compile?.message).toContain("more than the 4 MiB of memory");
  const bomb = `static int a[100 << 20] = {1}; ${PROGRAMS.c.AC}`;
  const output = await judging.judge({ language: "c", source: bomb });
  expect(output.verdict).toBe("CE");
});

test("the same program is compiled once, also over a restart; another source, again", async () => {
  const request = { language: "c", source: `${PROGRAMS.c.AC}\n// cached` } as const;
  expect((await judging.judge(request)).compile?.cached).toBe(false);
  expect((await judging.judge(request)).compile).toMatchObject({ ok: true, cached: true, cpuMs: 0 });
  await judging.restart();
  expect(await judging.judge(request)).toMatchObject({ verdict: "AC", compile: { cached: true } });
  const other = { ...request, source: `${request.source}!` };
  expect((await judging.judge(other)).compile?.cached).toBe(false);
});

test("half of a cached program is compiled again", async () => {
  const request = { language: "c", source: `${PROGRAMS.c.AC}\n// corrupted` } as const;
  const artefacts = join(judging.workDir, "artefacts");
  const before = new Set(existsSync(artefacts) ? readdirSync(artefacts) : []);
  await judging.judge(request);
  const added = readdirSync(artefacts).filter((name) => !before.has(name));
  expect(added).toHaveLength(1);
  truncateSync(join(artefacts, added[0] ?? "", "box", "program"), 4_096);
  await judging.restart();
  expect(await judging.judge(request)).toMatchObject({ verdict: "AC", compile: { cached: false } });
});

test("a cached program is judged without fetching its sources", async () => {
  const source = `${PROGRAMS.c.AC}\n// fetched once`;
  await judging.judge({ language: "c", source });
  const job = judging.jobOf({ language: "c", source });
  rmSync(judging.blobPath(source));
  expect(await judging.run(job)).toMatchObject({ type: "finished", result: { verdict: "AC" } });
});

test("two slots at once", async () => {
  const results = await Promise.all(
    [0, 1].map((slot) => judging.judge({ language: "c", source: PROGRAMS.c.AC, tests: plusOne, slot })),
  );
  expect(results.map(({ verdict }) => verdict)).toEqual(["AC", "AC"]);
});

test("a cancel ends a running program and its compiler within 100 ms", async () => {
  const tests = [
    { input: "1", answer: "2" },
    { input: "4", answer: "5" },
  ];
  const tookMs: number[] = [];
  for (const [type, source] of [
    ["progress", moody],
    ["progress", moody],
    ["progress", moody],
    ["compiled", PROGRAMS.python.TLE],
  ] as const) {
    const abort = new AbortController();
    const ended = Promise.withResolvers<void>();
    let at = 0;
    const onReport = (reported: string): void => {
      if (reported !== type) return;
      // The next run begins right after this report: let it get under way.
      setTimeout(() => {
        at = performance.now();
        abort.abort(new Error("cancelled"));
        ended.resolve();
      }, 40);
    };
    const request: JudgeRequest = {
      language: "python",
      source,
      tests,
      signal: abort.signal,
      onReport,
      limits: { timeMs: 20_000 },
    };
    const outcome = await judging.outcome(request);
    await ended.promise;
    tookMs.push(performance.now() - at);
    expect(outcome).toEqual({ type: "stopped" });
    expect(readdirSync(join(judging.workDir, "jobs"))).toEqual([]);
  }
  expect(tookMs.toSorted((a, b) => a - b)[1]).toBeLessThan(100);
});

test("what was judged is counted", async () => {
  await judging.judge({ language: "python", source: PROGRAMS.python.RTE });
  const metrics = await judging.metrics();
  expect(metrics).toMatch(/docket_executor_verdicts_total\{language="python",verdict="RTE"\} \d/);
  expect(metrics).toMatch(/docket_executor_tests_total\{language="python"\} \d/);
  expect(metrics).toMatch(/docket_executor_compile_seconds_count\{language="python"\} \d/);
});

test("a job that is stopped before it starts does nothing", async () => {
  const outcome = await judging.outcome({
    language: "c",
    source: PROGRAMS.c.AC,
    signal: AbortSignal.abort(),
  });
  expect(outcome).toEqual({ type: "stopped" });
});
