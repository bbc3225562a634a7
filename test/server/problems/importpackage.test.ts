import { describe, expect, it } from "vitest";
import { goodPackage, legacyPackage, tarGz, zip, zipOf } from "./archives.ts";
import { collectImports, lines } from "./importing.ts";

describe("a right package", () => {
  it("of 2025-09 becomes a manifest with its tests in order, and blobs that are kept", async () => {
    const imports = collectImports();
    const result = await imports.run(zipOf(goodPackage()));
    const manifest = imports.manifest(result);
    expect(manifest).toMatchObject({
      problem: "echo",
      name: "Echo",
      limits: { timeMs: 500, memoryMiB: 64, outputMiB: 8, codeKiB: 128, compilationTimeMs: 60_000 },
      runAllTests: false,
      validator: { type: "default", args: [] },
    });
    expect(manifest.tests.map(({ name, sample }) => [name, sample])).toEqual([
      ["sample/1", true],
      ["secret/01", false],
      ["secret/02", false],
    ]);
    const [first] = manifest.tests;
    expect(Buffer.from(imports.blobs.get(first?.input ?? "") ?? "").toString()).toBe("a\n");
    expect(first).toMatchObject({ inputBytes: 2, answerBytes: 2 });
    if (result.type !== "imported") throw new Error("refused");
    expect(result.warnings).toEqual([]);
    expect(result.problem).toMatchObject({ _id: "echo", testCount: 3, timeMs: 500, importedBy: "jury" });
    expect(imports.kept).toEqual(new Set(result.problem.blobs));
    expect(imports.problems.get("echo")).toEqual(result.problem);
  });

  it("of the legacy layout takes its name from the statement and its time from .timelimit", async () => {
    const imports = collectImports();
    const result = await imports.run(zipOf(legacyPackage()));
    expect(imports.manifest(result)).toMatchObject({ name: "Echo", limits: { timeMs: 2500 } });
    expect(lines(result, "warning")).toEqual([]);
  });

  it.each([
    [
      "zip with the files at its top level, named by the archive",
      zip(Object.entries(goodPackage()).map(([name, content]) => ({ name, content }))),
    ],
    [
      "gzipped tar",
      tarGz(Object.entries(goodPackage()).map(([name, content]) => ({ name: `echo/${name}`, content }))),
    ],
    [
      "zip with what version control and operating systems leave",
      zipOf({ ...goodPackage(), ".git/config": "x", ".DS_Store": "x", "data/secret/.cache": "x" }),
    ],
    [
      "zip with __MACOSX beside",
      zip([
        ...Object.entries(goodPackage()).map(([name, content]) => ({ name: `echo/${name}`, content })),
        { name: "__MACOSX/echo/problem.yaml", content: "x" },
      ]),
    ],
  ])("comes as a %s", async (_what, archive) => {
    const imports = collectImports();
    const result = await imports.run(archive, { archiveName: "echo.zip" });
    expect(imports.manifest(result)).toMatchObject({ problem: "echo" });
    expect(lines(result, "warning")).toEqual([]);
  });

  it("takes the id that the caller gives before its own", async () => {
    const imports = collectImports();
    expect(imports.manifest(await imports.run(zipOf(goodPackage()), { problemId: "other" })).problem).toBe(
      "other",
    );
    const refused = await imports.run(zipOf(goodPackage()), { problemId: "No Good" });
    expect(lines(refused, "error")).toEqual([' the problem id "No Good" is not usable']);
  });
});

describe("what is not supported yet is refused by name", () => {
  it("static validators, custom graders", async () => {
    const result = await collectImports().run(
      zipOf({
        ...legacyPackage(),
        "static_validator/check.py": "x\n",
        "graders/g.py": "\n",
        "data/secret/testdata.yaml": "grading: custom\n",
      }),
    );
    expect(lines(result, "error").toSorted()).toEqual([
      "data/secret/testdata.yaml:1 custom graders are not supported yet",
      "graders custom graders are not supported yet",
      "static_validator static validators are not supported yet",
    ]);
  });

  it("several output validators, static validation of a group", async () => {
    const result = await collectImports().run(
      zipOf({
        ...goodPackage(),
        "output_validator/a/v.py": "\n",
        "output_validator/b/v.py": "\n",
        "data/secret/test_group.yaml": "static_validation_score: 5\n",
      }),
    );
    expect(lines(result, "error").toSorted()).toEqual([
      "data/secret/test_group.yaml:1 static validation is not supported yet",
      "output_validator several output validators are not supported yet: a, b",
    ]);
  });
});

it("ten planted mistakes give ten findings in one go, and nothing is stored", async () => {
  const imports = collectImports();
  const result = await imports.run(
    zipOf({
      ...goodPackage(),
      "problem.yaml": [
        "problem_format_version: 2025-09",
        "name: 5",
        "type: quiz",
        "limits:",
        "  time_limit: -1",
        "  memory: lots",
        "  output: 0.5",
        "",
      ].join("\n"),
      "data/sample/2.in": "no answer\n",
      "data/secret/03.ans": "no input\n",
      "data/secret/04.in": "\uFEFFmarked\n",
      "data/secret/04.ans": "marked\n",
      "data/secret/test_group.yaml": "\noutput_validator_args: [float_tolerance]\n",
      "output_validator/v.zig": "begin end.\n",
    }),
  );
  expect(lines(result, "error").toSorted()).toEqual([
    "data/sample/2.in the test has no answer file",
    "data/secret/03.ans the answer belongs to no test",
    "data/secret/04.in:1 the file starts with a byte-order mark, which programs would read as data",
    'data/secret/test_group.yaml:2 float_tolerance needs a number that is not negative after it, got "nothing"',
    "output_validator the language of the output validator is not known: v.zig",
    "problem.yaml:2 name is 5",
    'problem.yaml:3 unknown problem type "quiz"',
    "problem.yaml:5 limits.time_limit is -1",
    'problem.yaml:6 limits.memory is "lots"',
    "problem.yaml:7 limits.output is 0.5",
  ]);
  expect(imports.blobs.size).toBe(0);
  expect(imports.problems.size).toBe(0);
});

it.each([0, 1, 2, 3])("a store that fails after %i blobs leaves no problem", async (mostPuts) => {
  const imports = collectImports({}, undefined, mostPuts);
  await expect(imports.run(zipOf(goodPackage()))).rejects.toThrow("the store is away");
  expect(imports.problems.size).toBe(0);
  expect(imports.kept.size).toBe(0);
});

it("unknown keys and files warn and do not refuse", async () => {
  const result = await collectImports().run(
    zipOf({
      ...goodPackage(),
      "problem.yaml": `${goodPackage()["problem.yaml"]}colour: blue\n`,
      "data/secret/notes.txt": "x\n",
      "data/secret/01.hint": "x\n",
    }),
  );
  expect(result.type).toBe("imported");
  expect(lines(result, "warning")).toEqual([
    "problem.yaml:7 unknown key colour, ignored",
    "data/secret/notes.txt ignored: not a file of a test",
  ]);
});

it.each([
  ["a YAML mistake, with its line", "name: a\n\tb: c\n", "problem.yaml:2"],
  ["a key twice", "name: a\nname: b\n", "problem.yaml:2"],
  ["a list instead of keys", "- a\n", "problem.yaml:1"],
  ["bytes that are not UTF-8", Buffer.from("name: a\nsource: \xFC\n", "latin1"), "problem.yaml:2"],
  [
    "a billion laughs",
    `a: &a [x,x]\nb: &b [${"*a,".repeat(60)}*a]\nname: [${"*b,".repeat(60)}*b]\n`,
    "problem.yaml",
  ],
])("%s is found in problem.yaml", async (_what, content, where) => {
  const result = await collectImports().run(zipOf({ ...legacyPackage(), "problem.yaml": content }));
  expect(lines(result, "error").some((line) => line.startsWith(where))).toBe(true);
});
