import { execFile, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compareOutput } from "../../src/executors/checker/compare.ts";
import { parseValidatorFlags } from "../../src/shared/validatorflags.ts";
import { problemtoolsSource } from "../support/problemtools.ts";

const folder = mkdtempSync(join(tmpdir(), "docket-conformance-"));
let source: string;
beforeAll(async () => {
  source = await problemtoolsSource();
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

async function compare(args: readonly string[], files: { output: string; answer: string }) {
  const parsed = parseValidatorFlags(args);
  if (!parsed.ok) throw new Error(parsed.message);
  return await compareOutput(parsed.flags, files);
}

test("every case of the format's own default validator tests gets the same answer", async () => {
  const cases = join(source, "tests", "default_validator_tests");
  const names = readdirSync(cases).filter((name) => name.startsWith("test_"));
  expect(names.length).toBeGreaterThanOrEqual(20);
  const wrong: string[] = [];
  for (const name of names) {
    const file = (leaf: string) => join(cases, name, leaf);
    const args = existsSync(file("args.txt")) ? readFileSync(file("args.txt"), "utf8").split(/\s+/) : [];
    const result = await compare(
      args.filter((arg) => arg !== ""),
      { output: file("user.out"), answer: file("judge.ans") },
    );
    const expected = readFileSync(file("expected_exit_code.txt"), "utf8").trim();
    if ((result.accepted ? "42" : "43") !== expected) wrong.push(`${name}: expected ${expected}`);
    // The lines are part of the answer too: "Wrong answer on line A of output (corresponding to line B …)".
    const lines = existsSync(file("expected_message.txt"))
      ? readFileSync(file("expected_message.txt"), "latin1").match(/line (\d+) of output .* line (\d+) in/)
      : null;
    const where = lines === null ? "" : `line ${lines[1]} of the output, line ${lines[2]} of the answer`;
    if (!result.message.includes(where)) wrong.push(`${name}: expected ${where}, got ${result.message}`);
  }
  expect(wrong).toEqual([]);
});

const WORDS =
  "yes YES Yes é É [ { 1 1.0 +1 01 1. .5 0.5 -0 0 1e0 1E+0 1e 1e+ e5 . + - +-1 1e999 -1e999 1e-999 inf " +
  "-INF infinity nan NaN nan(1) 0x 0x1 0X1p1 0x.8 0x1.8p-1 0x1p 0x1e+ 0x1.p 0xg 1x 1,5 1_0 100000 1e5 2";
const word = fc.oneof(
  fc.constantFrom(...WORDS.split(" ")),
  fc.double({ min: -4, max: 4, noNaN: true }).map((value) => value.toFixed(3)),
  fc.string({ unit: "binary-ascii", minLength: 1, maxLength: 6 }).map((text) => text.replaceAll("\0", "")),
);
const space = fc.constantFrom(" ", " ", "\n", "\n", "  ", "\t", "\r\n", "\v", "\f", "");
const text = fc.array(fc.tuple(word, space), { maxLength: 5 }).map((parts) => parts.flat().join(""));
/** A pair of texts that have much in common, as outputs and answers do. */
const pair = fc.oneof(
  fc.tuple(text, text),
  fc
    .tuple(text, word, word, text)
    .map(([a, b, c, d]): [string, string] => [`${a} ${b} ${d}`, `${a} ${c} ${d}`]),
  fc.tuple(text, space, space, text).map(([a, b, c, d]): [string, string] => [a + b + d, a + c + d]),
);
const tolerance = fc.constantFrom("0", "1e-6", "0.1", "0.5", "1e9");
const flags = fc
  .tuple(
    fc.subarray(["case_sensitive", "space_change_sensitive"]),
    fc.array(
      fc.tuple(
        fc.constantFrom("float_tolerance", "float_absolute_tolerance", "float_relative_tolerance"),
        tolerance,
      ),
      { maxLength: 2 },
    ),
  )
  .map(([words, floats]) => [...words, ...floats.flat()]);

test("the format's own validator, compiled, says the same of whatever we can think of", async ({ skip }) => {
  skip(spawnSync("g++", ["--version"]).status !== 0, "there is no g++ here to compile it with");
  const program = join(folder, "validator");
  const code = join(source, "support", "default_validator", "default_validator.cc");
  await promisify(execFile)("g++", ["-O1", "-o", program, code], { timeout: 120_000 });
  const files = { output: join(folder, "output"), answer: join(folder, "answer") };
  const feedback = join(folder, "feedback");
  mkdirSync(feedback);
  await fc.assert(
    fc.asyncProperty(flags, pair, async (args, [answer, output]) => {
      writeFileSync(files.answer, answer);
      writeFileSync(files.output, output);
      const stdin = openSync(files.output, "r");
      const theirs = spawnSync(program, ["/dev/null", files.answer, feedback, ...args], {
        stdio: [stdin, "pipe", "pipe"],
      });
      closeSync(stdin);
      expect([42, 43]).toContain(theirs.status);
      expect((await compare(args, files)).accepted).toBe(theirs.status === 42);
    }),
    { numRuns: 300 },
  );
}, 180_000);
