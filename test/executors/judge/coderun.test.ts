import { afterAll, beforeAll, expect, it } from "vitest";
import { CodeRunResult } from "../../../src/shared/coderun.ts";
import type { LanguageId } from "../../../src/shared/language.ts";
import { type Judging, openJudging } from "./harness.ts";
import { findLanguages } from "./toolchains.ts";

let judging: Judging;
beforeAll(async () => {
  judging = await openJudging(await findLanguages(["python", "javascript"]));
}, 180_000);
afterAll(async () => await judging.close());

const LIMITS = { timeMs: 1_000, memoryMiB: 64, outputKiB: 256, shownBytes: 40 };

async function run(source: string, more: { stdin?: string; language?: LanguageId } = {}) {
  const { language = "python", stdin } = more;
  const name = language === "python" ? "main.py" : "main.js";
  const outcome = await judging.runCode({
    language,
    files: [{ name, ...judging.put(source) }],
    ...(stdin === undefined ? {} : { stdin: judging.put(stdin) }),
    limits: LIMITS,
  });
  if (outcome.type !== "finished") throw new Error(JSON.stringify(outcome));
  expect(judging.pins()).toBe(0);
  return CodeRunResult.parse(outcome.result);
}

it.each(["python", "javascript"] as const)("%s: its input, both outputs, its exit code", async (language) => {
  const source =
    language === "python"
      ? "import sys\nprint('got ' + input())\nprint('odd', file=sys.stderr)\nsys.exit(3)\n"
      : "console.log('got ' + require('fs').readFileSync(0, 'utf8').trim()); console.error('odd'); process.exit(3);\n";
  const { outcome, run: ended, compile } = await run(source, { language, stdin: "zwölf\n" });
  expect(compile).toMatchObject({ ok: true });
  expect(outcome).toBe("RTE");
  expect(ended).toMatchObject({
    exitCode: 3,
    stdout: { text: "got zwölf\n", truncated: false },
    stderr: { text: "odd\n", truncated: false },
  });
});

it("without input it reads nothing; ending well is OK", async () => {
  const { outcome, run: ended } = await run("import sys\nprint(repr(sys.stdin.read()))\n");
  expect([outcome, ended?.stdout.text, ended?.exitCode]).toEqual(["OK", "''\n", 0]);
});

it("what does not compile says why and is not run", async () => {
  const result = await run("print(1 +\n");
  expect(result).toMatchObject({ outcome: "CE", compile: { ok: false } });
  expect(result.compile?.message).toContain("SyntaxError");
  expect(result.run).toBeUndefined();
});

it("of a long output the beginning is kept, without half a character", async () => {
  const { outcome, run: ended } = await run(`print("a" + "ö" * 1000)\n`);
  expect(outcome).toBe("OK");
  expect(ended?.stdout).toEqual({ text: `a${"ö".repeat(19)}`, truncated: true });
});

it.each([
  ["TLE", "while True: pass\n"],
  ["MLE", "a = []\nwhile True: a.append(bytearray(1 << 20))\n"],
  ["OLE", "while True: print('too much of this' * 1000)\n"],
] as const)("%s as in judging", async (expected, source) => {
  const { outcome, run: ended } = await run(source);
  expect(outcome).toBe(expected);
  expect(ended?.cpuMs).toBeGreaterThan(0);
});

it("a signal is said", async () => {
  const { outcome, run: ended } = await run("import os\nos.kill(os.getpid(), 11)\n");
  expect([outcome, ended?.signal, ended?.exitCode]).toEqual(["RTE", "SIGSEGV", undefined]);
});
