import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { compareOutput } from "../../../src/executors/checker/compare.ts";
import { parseValidatorFlags } from "../../../src/shared/validatorflags.ts";

const folder = mkdtempSync(join(tmpdir(), "docket-compare-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function compare(args: readonly string[], answer: string | Buffer, output: string | Buffer) {
  const parsed = parseValidatorFlags(args);
  if (!parsed.ok) throw new Error(parsed.message);
  const files = { output: join(folder, "output"), answer: join(folder, "answer") };
  writeFileSync(files.output, output);
  writeFileSync(files.answer, answer);
  return await compareOutput(parsed.flags, files);
}

const tolerance = ["float_tolerance", "1e-6"];
const cases: readonly [name: string, args: readonly string[], answer: string, output: string, ok: boolean][] =
  [
    ["case is ignored", [], "Yes No", "yES\nnO", true],
    ["case counts if told so", ["case_sensitive"], "Yes", "yes", false],
    ["only letters have case", [], "a[b", "a{b", false],
    ["UTF-8 is compared by bytes", [], "é", "É", false],
    ["white space is a separator", [], "1 2\n3\n", "\t1\r\n2 \v\f3", true],
    ["white space counts if told so", ["space_change_sensitive"], "1 2\n", "1  2\n", false],
    ["a missing last line feed counts then", ["space_change_sensitive"], "1 2\n", "1 2", false],
    ["leading white space counts then", ["space_change_sensitive"], "1", " 1", false],
    ["a line feed isn't a space then", ["space_change_sensitive"], "1 2", "1\n2", false],
    ["too little", [], "1 2", "1", false],
    ["too much", [], "1", "1 2", false],
    ["a longer token", [], "12", "123", false],
    ["a shorter token", [], "123 4", "12 4", false],
    ["tokens joined", [], "1 2", "12", false],
    ["nothing and nothing", [], "", "", true],
    ["nothing and white space", [], "", " \n", true],
    ["nothing expected, something given", [], "", "x", false],
    ["numbers are words without a tolerance", [], "1.0", "1", false],
    ["numbers within the tolerance", tolerance, "1.0", "1.0000009", true],
    ["numbers outside of it", tolerance, "1.0", "1.000002", false],
    ["relative helps large ones", tolerance, "1e9", "1000000900", true],
    ["absolute alone does not", ["float_absolute_tolerance", "1e-6"], "1e9", "1000000900", false],
    ["relative alone fails at nought", ["float_relative_tolerance", "0.5"], "0", "0.1", false],
    [
      "either tolerance is enough",
      ["float_relative_tolerance", "0.01", "float_absolute_tolerance", "5"],
      "10",
      "14",
      true,
    ],
    [
      "a tolerance of nought accepts another way to write it",
      ["float_tolerance", "0"],
      "200",
      "+2.0e2",
      true,
    ],
    ["hexadecimal is a number", tolerance, "16", "0x1p4", true],
    ["an exponent without digits is none, as in C", tolerance, "1e", "1e+", true],
    ["half a number is a word", tolerance, "1e5.5", "1E5.5", true],
    ["a word where a number was expected", tolerance, "1", "one", false],
    ["a word stays a word", tolerance, "One", "oNE", true],
    ["infinity is a word", tolerance, "inf", "INF", true],
    ["infinity is no number", tolerance, "1", "inf", false],
    ["NaN is no number", tolerance, "1", "nan", false],
    ["NaN is a word", tolerance, "nan", "NaN", true],
    ["too large for a double is a word", tolerance, "1e999", "2e999", false],
    ["words still have case under a tolerance", ["case_sensitive", ...tolerance], "a 1", "A 1", false],
  ];

test.each(cases)("%s", async (_name, args, answer, output, ok) => {
  const result = await compare(args, answer, output);
  expect(result.accepted).toBe(ok);
  expect(result.message === "").toBe(ok);
});

test("the message tells token and lines", async () => {
  const { message } = await compare([], "1 2\n3 4 5\n", "1\n2 3\n4 6");
  expect(message).toContain('token 5, line 3 of the output, line 2 of the answer\noutput: "6"\nanswer: "5"');
});

test("a link in place of the output is not followed", async () => {
  const files = { output: join(folder, "link"), answer: join(folder, "answer") };
  writeFileSync(files.answer, "1");
  symlinkSync(files.answer, files.output);
  const flags = {
    caseSensitive: false,
    spaceChangeSensitive: false,
    absoluteTolerance: 1,
    relativeTolerance: 1,
  };
  await expect(compareOutput(flags, files)).rejects.toThrow("ELOOP");
});

const spaces = (words: string): string => words.split(/[^\t-\r ]+/).join("|");

/** The meaning of the flags written down the short way, for texts that fit into memory. */
function plainly(args: readonly string[], answer: string, output: string): boolean {
  const fold = (text: string) =>
    args.includes("case_sensitive") ? text : text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
  const tokens = (text: string) =>
    fold(text)
      .split(/[\t-\r ]+/)
      .filter((token) => token !== "");
  const at = args.indexOf("float_absolute_tolerance");
  const same = (a: string, b: string) => {
    if (at < 0 || !/^-?\d+(\.\d*)?$/.test(a)) return a === b;
    return /^-?\d+(\.\d*)?$/.test(b) && Math.abs(Number(a) - Number(b)) <= Number(args[at + 1]);
  };
  const left = tokens(answer);
  const right = tokens(output);
  return (
    left.length === right.length &&
    left.every((token, i) => same(token, right[i] ?? "")) &&
    (!args.includes("space_change_sensitive") || spaces(answer) === spaces(output))
  );
}

const text = fc
  .array(fc.constantFrom(" ", "\n", "\r\n", "a", "A", "b", "1", "1.5", "2.", "-3", "é"), { maxLength: 12 })
  .map((parts) => parts.join(""));
const flags = fc
  .tuple(
    fc.subarray(["case_sensitive", "space_change_sensitive"]),
    fc.constantFrom([], ["float_absolute_tolerance", "0.5"]),
  )
  .map(([words, float]) => [...words, ...float]);

test("says what the plain definition says, also when the files differ late", async () => {
  await fc.assert(
    fc.asyncProperty(flags, text, text, fc.constantFrom(0, 5, 262_140), async (args, a, b, prefix) => {
      const start = "1234567 ".repeat(Math.ceil(prefix / 8)).slice(0, prefix);
      const result = await compare(args, start + a, start + b);
      expect(result.accepted).toBe(plainly(args, start + a, start + b));
    }),
    { numRuns: 150 },
  );
});

test("a token longer than a buffer is compared to its end", async () => {
  const long = Buffer.alloc(700_000, "x");
  const other = Buffer.from(long);
  other[699_999] = 0x79;
  for (const args of [[], tolerance]) {
    expect(
      (
        await compare(
          args,
          Buffer.concat([Buffer.from("a\n"), long]),
          Buffer.concat([Buffer.from("a "), long]),
        )
      ).accepted,
    ).toBe(true);
    expect(
      (
        await compare(
          args,
          Buffer.concat([Buffer.from("a\n"), long]),
          Buffer.concat([Buffer.from("a "), other]),
        )
      ).accepted,
    ).toBe(false);
    expect((await compare(args, long, long.subarray(1))).accepted).toBe(false);
  }
});
