import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LANGUAGE_IDS } from "../../../src/shared/language.ts";
import { Verdict } from "../../../src/shared/verdict.ts";
import { type Judging, openJudging } from "./harness.ts";
import { PROGRAMS } from "./programs.ts";
import { findLanguages, type FoundLanguages } from "./toolchains.ts";

/** What compilers and interpreters say of the programs that do not compile. */
const CE_WORDS = /undeclared|SyntaxError|never closed|syntax error|unexpected|not assignable/i;

let languages: FoundLanguages;
let judging: Judging;
beforeAll(async () => {
  languages = await findLanguages(LANGUAGE_IDS);
  judging = await openJudging(languages);
}, 180_000);
afterAll(async () => await judging.close());

test("there are toolchains to judge with", () => {
  const found = LANGUAGE_IDS.filter((id) => languages.usable(id) !== undefined);
  expect(found).toEqual(expect.arrayContaining(["python", "javascript", "typescript"]));
  // Where the test run could install them, they are there.
  if (existsSync("/usr/bin/apt-get")) {
    expect(found).toEqual(expect.arrayContaining(["pypy", "ruby", "php", "perl", "lua", "pascal"]));
  }
});

const programmed = LANGUAGE_IDS.filter((id) => id !== "text");

describe.each(programmed)("%s", (language) => {
  test.for(Verdict.options)("%s", { timeout: 60_000 }, async (verdict, { skip }) => {
    skip(languages.usable(language) === undefined, `no toolchain for ${language} here`);
    const isolated = languages.usable(language)?.definition.engine === "isolate";
    const result = await judging.judge({
      language,
      source: PROGRAMS[language][verdict],
      // Room for a slow start of a runtime, but not for the others to be late.
      limits: { timeMs: verdict === "TLE" ? 300 : 3_000, memoryMiB: verdict === "MLE" ? 64 : 256 },
      tests: [
        { input: "1\n", answer: "2\n" },
        { input: "41\n", answer: "42\n" },
      ],
    });
    expect(result).toMatchObject({ verdict, testsTotal: 2 });
    expect(result.compile?.ok).toBe(verdict !== "CE");
    expect(result.tests.map((report) => report.verdict)).toEqual(
      verdict === "AC" ? ["AC", "AC"] : verdict === "CE" ? [] : [verdict],
    );
    if (verdict === "CE") expect(result.compile?.message).toMatch(CE_WORDS);
    for (const report of result.tests) {
      expect(report.wallMs).toBeGreaterThan(0);
      // An isolate is charged what it takes beyond its warm process; for a moment's work that may be nothing.
      if (isolated) continue;
      expect(report.cpuMs).toBeGreaterThan(0);
      expect(report.memoryKiB).toBeGreaterThan(0);
    }
    expect(judging.pins()).toBe(0);
    // None of these programs asks for what an isolate lacks.
    if (isolated) expect(judging.isolates?.stats.native).toBe(0);
  });
});
