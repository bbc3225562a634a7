import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { compareOutput } from "../../src/executors/checker/compare.ts";
import { parseValidatorFlags } from "../../src/shared/validatorflags.ts";
import { problemtoolsSource } from "../support/problemtools.ts";

let cases: string;
beforeAll(async () => {
  cases = join(await problemtoolsSource(), "tests", "default_validator_tests");
}, 300_000);

test("every case of the format's own default validator tests gets the same answer", async () => {
  const names = readdirSync(cases).filter((name) => name.startsWith("test_"));
  expect(names.length).toBeGreaterThanOrEqual(20);
  const wrong: string[] = [];
  for (const name of names) {
    const file = (leaf: string) => join(cases, name, leaf);
    const args = existsSync(file("args.txt")) ? readFileSync(file("args.txt"), "utf8").split(/\s+/) : [];
    const parsed = parseValidatorFlags(args.filter((arg) => arg !== ""));
    if (!parsed.ok) throw new Error(`${name}: ${parsed.message}`);
    const result = await compareOutput(parsed.flags, { output: file("user.out"), answer: file("judge.ans") });
    const expected = readFileSync(file("expected_exit_code.txt"), "utf8").trim();
    if ((result.accepted ? "42" : "43") !== expected) wrong.push(`${name}: expected ${expected}`);
    // The lines are part of the answer too: "Wrong answer on line A of output (corresponding to line B …)".
    const lines = existsSync(file("expected_message.txt"))
      ? readFileSync(file("expected_message.txt"), "latin1").match(/line (\d+) of output .* line (\d+) in/)
      : null;
    if (
      lines !== null &&
      !result.message.includes(`line ${lines[1]} of the output, line ${lines[2]} of the answer`)
    ) {
      wrong.push(`${name}: expected lines ${lines[1]} and ${lines[2]}, got ${result.message}`);
    }
  }
  expect(wrong).toEqual([]);
});
