import { describe, expect, it } from "vitest";
import { goodPackage, legacyPackage, zipOf } from "./archives.ts";
import { collectImports, lines } from "./importing.ts";

const yaml = goodPackage()["problem.yaml"] ?? "";

async function imported(files: Readonly<Record<string, string>>, base = goodPackage()) {
  const imports = collectImports();
  const result = await imports.run(zipOf({ ...base, ...files }));
  return { imports, result, manifest: () => imports.manifest(result), errors: lines(result, "error") };
}

const {
  "data/secret/01.in": _1,
  "data/secret/01.ans": _2,
  "data/secret/02.in": _3,
  "data/secret/02.ans": _4,
  ...bare
} = goodPackage();
const test = (path: string) => ({ [`data/secret/${path}.in`]: "x\n", [`data/secret/${path}.ans`]: "x\n" });
const scoring = {
  ...bare,
  "problem.yaml": `${yaml}type: scoring\n`,
  ...test("a/1"),
  ...test("a/2"),
  ...test("b/1"),
};

describe("scoring", () => {
  it("2025-09 groups with their largest scores and what they require", async () => {
    const { manifest } = await imported(
      {
        "data/secret/a/test_group.yaml": "max_score: 40\n",
        "data/secret/b/test_group.yaml": "max_score: 60\nscore_aggregation: sum\nrequire_pass: secret/a\n",
      },
      scoring,
    );
    expect(manifest()).toMatchObject({ scoring: true });
    expect(manifest().groups).toMatchObject([
      { name: "", breaks: false, grading: { type: "legacy", ignoreSample: true } },
      { name: "sample", parent: 0, breaks: false, grading: { type: "verdict" } },
      { name: "secret", parent: 0, breaks: false, grading: { type: "aggregate", by: "sum", maxScore: 100 } },
      { name: "secret/a", parent: 2, breaks: true, grading: { by: "pass-fail", maxScore: 40 } },
      { name: "secret/b", parent: 2, breaks: false, requires: [3], grading: { by: "sum", testScore: 60 } },
    ]);
    expect(manifest().tests.map(({ name, group }) => [name, group])).toEqual([
      ["sample/1", 1],
      ["secret/a/1", 3],
      ["secret/a/2", 3],
      ["secret/b/1", 4],
    ]);
  });

  it("mistakes of groups are named together", async () => {
    const { errors } = await imported(
      {
        "data/sample/test_group.yaml": "max_score: 5\n",
        "data/secret/test_group.yaml": "max_score: 50\nscore_aggregation: most\n",
        "data/secret/a/test_group.yaml": "require_pass: [secret/b, sample]\n",
        "data/secret/b/test_group.yaml": "max_score: -1\n",
      },
      scoring,
    );
    expect(errors.toSorted()).toEqual([
      "data/sample/test_group.yaml:1 max_score is not allowed in data/sample",
      "data/secret/a/test_group.yaml max_score is missing, and the group may not be unbounded",
      'data/secret/a/test_group.yaml:1 require_pass names "secret/b"',
      "data/secret/b/test_group.yaml:1 max_score is -1",
      "data/secret/b/test_group.yaml:1 max_score is missing, and the group may not be unbounded",
      'data/secret/test_group.yaml:2 score_aggregation is "most"',
    ]);
  });

  it("legacy flags of the default grader", async () => {
    const { manifest } = await imported(
      {
        "problem.yaml": "type: scoring\nvalidation: custom score\n",
        "output_validators/v.py": "\n",
        "data/testdata.yaml": "on_reject: continue\ngrader_flags: ignore_sample\nrange: 0 100\n",
        "data/secret/testdata.yaml":
          "on_reject: continue\ngrader_flags: max first_error accept_if_any_accepted\naccept_score: 7\nrange: -inf 10\n",
      },
      legacyPackage(),
    );
    expect(manifest()).toMatchObject({ scoring: true, validatorScores: true });
    expect(manifest().groups?.map(({ grading }) => grading)).toMatchObject([
      { ignoreSample: true, score: "sum", verdict: "worst", least: 0, most: 100 },
      { ignoreSample: true },
      { score: "max", verdict: "first", acceptIfAnyAccepted: true, acceptScore: 7, most: 10 },
    ]);
  });

  it("legacy mistakes", async () => {
    const { errors } = await imported(
      {
        "problem.yaml": "validation: custom score\n",
        "output_validators/v.py": "\n",
        "data/secret/testdata.yaml": "on_reject: stop\ngrader_flags: median\n",
      },
      legacyPackage(),
    );
    expect(errors.toSorted()).toEqual([
      'data/secret/testdata.yaml:1 on_reject is "stop"',
      'data/secret/testdata.yaml:2 unknown flag "median" of the default grader',
      "problem.yaml:1 the validator gives scores, but the problem is not of type scoring",
    ]);
  });
});

describe("types", () => {
  it.each([
    ["interactive", { interactive: true }],
    ["multi-pass", { passes: 3 }],
    ["submit-answer", { submitAnswer: true }],
  ])("%s", async (type, expected) => {
    const { manifest, result } = await imported({
      "problem.yaml": `${yaml.trimEnd()}\ntype: ${type}\n`.replace(
        "limits:",
        "limits:\n  validation_passes: 3",
      ),
      "output_validator/v.py": "\n",
    });
    expect(manifest()).toMatchObject(expected);
    if (result.type !== "imported") throw new Error("refused");
    expect(result.problem.languages).toEqual(type === "submit-answer" ? ["text"] : undefined);
  });

  it.each([
    ["[pass-fail, scoring]", "a problem cannot be both pass-fail and scoring"],
    ["[interactive, submit-answer]", "a problem cannot be both submit-answer and interactive"],
    ["interactive", "a problem of type interactive needs an output validator"],
  ])("%s: %s", async (type, message) => {
    const { errors } = await imported({ "problem.yaml": `${yaml}type: ${type}\n` });
    expect(errors).toContain(`problem.yaml:7 ${message}`);
  });

  it("DOMjudge's legacy words", async () => {
    const { manifest } = await imported(
      { "problem.yaml": "validation: custom interactive multi-pass\n", "output_validators/v.py": "\n" },
      legacyPackage(),
    );
    expect(manifest()).toMatchObject({ interactive: true, passes: 2 });
  });
});

it("files and arguments of tests, included code, and leave to write", async () => {
  const { manifest, imports } = await imported({
    "problem.yaml": `${yaml}allow_file_writing: true\nlanguages: [cpp, python3]\n`,
    "data/secret/test_group.yaml": "args: [--fast]\n",
    "data/secret/01.yaml": "args: []\n",
    "data/secret/02.files/in/f.txt": "f\n",
    "include/default/all.txt": "x\n",
    "include/python3/driver.py": "y\n",
    "include/brainfuck/x": "z\n",
  });
  expect(manifest()).toMatchObject({
    writesFiles: true,
    include: { default: [{ name: "all.txt" }], python: [{ name: "driver.py" }] },
    tests: [
      {},
      { name: "secret/01" },
      { name: "secret/02", args: ["--fast"], files: [{ name: "in/f.txt" }] },
    ],
  });
  expect(manifest().tests[1]?.args).toBeUndefined();
  const { include = {}, tests } = manifest();
  for (const { sha256 } of [...Object.values(include).flat(), ...(tests[2]?.files ?? [])]) {
    expect(imports.kept).toContain(sha256);
  }
  expect([...imports.problems.values()][0]?.languages).toEqual(["cpp", "cpp17", "cpp23", "python", "pypy"]);
});

it("constants are put in where the format says so", async () => {
  const { manifest, imports } = await imported({
    "problem.yaml": `${yaml}constants: {N: 5, X: {value: 1, WORD: one}}\n`,
    "output_validator/v.py": "print({{N}}, '{{X.WORD}}', {{X}}, {{other}})\n",
    "data/secret/test_group.yaml": "output_validator_args: ['{{N}}']\n",
    "data/secret/01.in": "{{N}}\n",
  });
  const { validator, tests } = manifest();
  if (validator.type !== "custom") throw new Error("default");
  const text = (sha256: string | undefined) => Buffer.from(imports.blobs.get(sha256 ?? "") ?? "").toString();
  expect(text(validator.files[0]?.sha256)).toBe("print(5, 'one', 1, {{other}})\n");
  expect(tests[1]?.validatorArgs).toEqual(["5"]);
  expect(text(tests[1]?.input)).toBe("{{N}}\n");
});

it("what is wrong with these is named with its line", async () => {
  const { errors } = await imported({
    "problem.yaml": `${yaml}languages: [zig]\nallow_file_writing: perhaps\nconstants: {5x: 1}\nresource: tpu\n`,
    "data/secret/09.files/f.txt": "x\n",
  });
  expect(errors.toSorted()).toEqual([
    "data/secret/09.files the files belong to no test",
    'problem.yaml:10 resource is "tpu"',
    "problem.yaml:7 none of the languages is one of Docket's",
    'problem.yaml:8 allow_file_writing is "perhaps"',
    'problem.yaml:9 the constant "5x" is none',
  ]);
});

it("a device that its programs need is the problem's, in both layouts", async () => {
  for (const base of [goodPackage(), legacyPackage()]) {
    const { result } = await imported(
      { "problem.yaml": `${base["problem.yaml"] ?? ""}resource: gpu\n` },
      base,
    );
    if (result.type === "refused") throw new Error(JSON.stringify(result.findings));
    expect(result.problem).toMatchObject({ resource: "gpu" });
    expect(lines(result, "warning").filter((line) => line.includes("resource"))).toEqual([]);
  }
});
