import { expect, it } from "vitest";
import { inferredLimitMs } from "../../src/server/problems/timing.ts";
import { goodPackage, legacyPackage, zipOf } from "./problems/archives.ts";
import { collectImports, lines } from "./problems/importing.ts";

it.each([
  [300, { factor: 2, stepMs: 1_000 }, 1_000],
  [500, { factor: 2, stepMs: 1_000 }, 1_000],
  [501, { factor: 2, stepMs: 1_000 }, 2_000],
  [120, { factor: 5, stepMs: 500 }, 1_000],
  [0, { factor: 2, stepMs: 100 }, 100],
])("%i ms with %j is %i ms", (slowest, timing, expected) => {
  expect(inferredLimitMs(slowest, timing)).toBe(expected);
});

const { "problem.yaml": yaml = "", ...rest } = goodPackage();
const untimed = { ...rest, "problem.yaml": yaml.replace(/\n +time_limit:.*/, "") };

it("a package without a time limit is stored with its accepted submissions, to be measured", async () => {
  const imports = collectImports();
  const result = await imports.run(
    zipOf({
      ...untimed,
      "problem.yaml": `${untimed["problem.yaml"]}  time_resolution: 0.5\n  time_multipliers: {ac_to_time_limit: 3}\n`,
      "submissions/accepted/two/main.cpp": "int main(){}\n",
      "submissions/accepted/two/part.h": "\n",
      "submissions/accepted/mixed/a.py": "\n",
      "submissions/accepted/mixed/b.go": "\n",
      "submissions/wrong_answer/w.py": "\n",
    }),
  );
  const [problem] = imports.problems.values();
  const names = problem?.timing?.programs.map(({ path, language, files }) => [
    path,
    language,
    files.map(({ name }) => name).join(" "),
  ]);
  expect(names).toContainEqual(["accepted/two", "cpp", "main.cpp part.h"]);
  expect(names?.flat()).not.toContain("accepted/mixed");
  expect(problem?.timing).toMatchObject({ factor: 3, stepMs: 500 });
  for (const { files } of problem?.timing?.programs ?? []) {
    for (const { sha256 } of files) expect(imports.kept).toContain(sha256);
  }
  expect(lines(result, "warning").join()).toMatch(/inferred from what \d accepted submissions need/);
});

it("one that gives it is not measured", async () => {
  const imports = collectImports();
  await imports.run(zipOf(goodPackage()));
  await imports.run(zipOf(legacyPackage()));
  expect([...imports.problems.values()].map(({ timing }) => timing)).toEqual([undefined]);
});
