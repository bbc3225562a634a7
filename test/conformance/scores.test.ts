import { spawnSync } from "node:child_process";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createGrader } from "../../src/executors/judge/grade.ts";
import { createFindings } from "../../src/server/problems/finding.ts";
import { legacyGrading } from "../../src/server/problems/grading.ts";
import type { YamlMap } from "../../src/server/problems/yamlmap.ts";
import type { Verdict } from "../../src/shared/verdict.ts";
import { manifestOf } from "../executors/judge/manifests.ts";
import { problemtoolsSource } from "../support/problemtools.ts";

/** One group of tests, as its testdata.yaml has it graded and as its tests came out. */
interface Group {
  readonly flags: readonly string[];
  readonly results: readonly { readonly verdict: Verdict; readonly score: number }[];
}

const result = fc.record({
  verdict: fc.constantFrom<Verdict>("AC", "AC", "WA", "TLE", "MLE", "OLE", "RTE"),
  score: fc.oneof(
    fc.constantFrom(0, 1, 50, 100),
    fc.integer({ min: -4_000, max: 4_000 }).map((n) => n / 40),
  ),
});
const FLAGS = ["first_error", "worst_error", "no_errors", "always_accept", "sum", "avg", "min", "max"];
const flags = (more: readonly string[]) =>
  fc.array(fc.constantFrom(...FLAGS, "accept_if_any_accepted", ...more), { maxLength: 4 });
const group: fc.Arbitrary<Group> = fc.oneof(
  fc.record({ flags: flags([]), results: fc.array(result, { minLength: 1, maxLength: 6 }) }),
  // Only over sample and secret, so for at most two.
  fc.record({ flags: flags(["ignore_sample"]), results: fc.array(result, { minLength: 1, maxLength: 2 }) }),
);

const yamlOf = (words: readonly string[]): YamlMap => ({
  file: "data/testdata.yaml",
  prefix: "",
  keys: ["grader_flags"],
  value: (key) => (key === "grader_flags" ? words.join(" ") : undefined),
  lineOf: () => 1,
  map: () => undefined,
});

function ours({ flags: words, results }: Group): { verdict: Verdict; score: number | undefined } {
  const findings = createFindings();
  const { grading } = legacyGrading({ findings, scoring: true }, yamlOf(words));
  expect(findings.all).toEqual([]);
  const groups = [{ name: "", breaks: false, grading }];
  const manifest = manifestOf(
    results.map(() => 0),
    { groups, scoring: true },
  );
  const { verdict, score } = createGrader(manifest).grade(new Map(results.entries()));
  return { verdict, score };
}

/** Runs problemtools' default grader, which is a script, once for each group, all in one Python. */
const DRIVER = `
import contextlib, io, json, runpy, sys
path, answers = sys.argv[1], []
for flags, lines in json.load(sys.stdin):
    sys.argv, sys.stdin, out = [path, *flags], io.StringIO(lines), io.StringIO()
    with contextlib.redirect_stdout(out):
        runpy.run_path(path)
    answers.append(out.getvalue().split())
print(json.dumps(answers))
`;

test("groups come to the verdict and score that problemtools' default grader gives them", async () => {
  const script = join(await problemtoolsSource(), "support/default_grader/default_grader");
  const groups = fc.sample(group, 1_000);
  const asked = groups.map(({ flags: words, results }) => [
    words,
    results.map(({ verdict, score }) => `${verdict} ${score}\n`).join(""),
  ]);
  const ran = spawnSync("python3", ["-c", DRIVER, script], {
    input: JSON.stringify(asked),
    encoding: "utf8",
  });
  expect(ran.stderr).toBe("");
  const theirs = JSON.parse(ran.stdout) as [Verdict, string][];
  expect(theirs).toHaveLength(groups.length);
  for (const [index, one] of groups.entries()) {
    const { verdict, score } = ours(one);
    const [theirVerdict, theirScore] = theirs[index] ?? [];
    // Theirs is printed with six digits.
    expect([verdict, score?.toFixed(4)], JSON.stringify(one)).toEqual([
      theirVerdict,
      Number(theirScore).toFixed(4),
    ]);
  }
}, 120_000);
