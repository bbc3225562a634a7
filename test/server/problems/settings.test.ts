import { describe, expect, it } from "vitest";
import { goodPackage, legacyPackage, zipOf } from "./archives.ts";
import { collectImports, lines } from "./importing.ts";

describe("settings", () => {
  const settings = async (change: Record<string, string>, base = goodPackage()) => {
    const imports = collectImports();
    const result = await imports.run(zipOf({ ...base, ...change }));
    return { result, manifest: () => imports.manifest(result) };
  };

  it("without a time limit take a wide one until it is measured, and say so", async () => {
    const { ".timelimit": _, ...files } = legacyPackage();
    const { manifest, result } = await settings({}, files);
    expect(manifest().limits.timeMs).toBe(20_000);
    expect(lines(result, "warning")).toEqual([
      "problem.yaml no time limit is given: it is inferred from what 1 accepted submissions need",
    ]);
  });

  it("without a time limit and without accepted submissions take the default, and say so", async () => {
    const files = Object.fromEntries(
      Object.entries(legacyPackage()).filter(
        ([name]) => name !== ".timelimit" && !name.startsWith("submissions/accepted/"),
      ),
    );
    const { manifest, result } = await settings({}, files);
    expect(manifest().limits.timeMs).toBe(5_000);
    expect(lines(result, "warning")).toContain("problem.yaml no time limit is given: 5 s is taken");
  });

  it("take DOMjudge's time limit, and all limits with their units", async () => {
    const { ".timelimit": _, ...files } = legacyPackage();
    const limits =
      "limits:\n  output: 1\n  code: 2\n  compilation_time: 3\n  compilation_memory: 4\n  validation_time: 5\n  validation_memory: 6\n  validation_output: 7\n";
    const { manifest } = await settings(
      { "problem.yaml": limits, "domjudge-problem.ini": "short-name = E\ntimelimit = '1.5'\n" },
      files,
    );
    expect(manifest().limits).toEqual({
      timeMs: 1500,
      memoryMiB: 2048,
      outputMiB: 1,
      codeKiB: 2,
      compilationTimeMs: 3000,
      compilationMemoryMiB: 4,
      validationTimeMs: 5000,
      validationMemoryMiB: 6,
      validationOutputMiB: 7,
    });
  });

  it("legacy flags: the problem's, then those of the nearest testdata.yaml", async () => {
    const { manifest } = await settings(
      {
        "problem.yaml": "validator_flags: case_sensitive\n",
        "data/testdata.yaml": "on_reject: continue\noutput_validator_flags: float_tolerance 1e-3\n",
        "data/secret/exact/testdata.yaml": "on_reject: break\n",
        "data/secret/exact/2.in": "x\n",
        "data/secret/exact/2.ans": "x\n",
      },
      legacyPackage(),
    );
    expect(manifest()).toMatchObject({
      groups: [
        { name: "", breaks: false },
        { name: "sample", parent: 0, breaks: false },
        { name: "secret", parent: 0, breaks: false },
        { name: "secret/exact", parent: 2, breaks: true },
      ],
      validator: { type: "default", args: ["case_sensitive"] },
    });
    expect(manifest().tests.map(({ name, validatorArgs }) => [name, validatorArgs])).toEqual([
      ["secret/1", ["case_sensitive", "float_tolerance", "1e-3"]],
      ["secret/exact/2", undefined],
    ]);
  });

  it("2025-09 arguments: a test's own, else its group's, else those above", async () => {
    const {
      "data/secret/01.in": _in1,
      "data/secret/01.ans": _ans1,
      "data/secret/02.in": _in2,
      "data/secret/02.ans": _ans2,
      ...files
    } = goodPackage();
    const { manifest } = await settings(
      {
        "data/secret/test_group.yaml": "output_validator_args: [case_sensitive]\n",
        "data/secret/a/1.in": "x\n",
        "data/secret/a/1.ans": "x\n",
        "data/secret/b/test_group.yaml": "output_validator_args: [float_tolerance, 1e-6]\n",
        "data/secret/b/1.in": "x\n",
        "data/secret/b/1.ans": "x\n",
        "data/secret/b/2.in": "x\n",
        "data/secret/b/2.ans": "x\n",
        "data/secret/b/2.yaml": "output_validator_args: [space_change_sensitive]\nhint: mind the gap\n",
      },
      files,
    );
    expect(manifest().tests.map(({ name, validatorArgs }) => [name, validatorArgs])).toEqual([
      ["sample/1", undefined],
      ["secret/a/1", ["case_sensitive"]],
      ["secret/b/1", ["float_tolerance", "0.000001"]],
      ["secret/b/2", ["space_change_sensitive"]],
    ]);
  });

  it("a draft's flags are read, legacy keys that decide verdicts are refused", async () => {
    const draft = await settings({
      "data/secret/testdata.yaml": "output_validator_flags: float_tolerance 1e-6\n",
    });
    expect(draft.manifest().tests.at(-1)?.validatorArgs).toEqual(["float_tolerance", "1e-6"]);
    expect(lines(draft.result, "warning")).toHaveLength(2);
    const mixed = await settings({
      "problem.yaml": `${goodPackage()["problem.yaml"]}validator_flags: case_sensitive\n`,
    });
    expect(lines(mixed.result, "error")).toEqual(["problem.yaml:7 validator_flags is of the legacy layout"]);
    expect(lines(mixed.result, "warning")).toEqual([]);
  });

  it("a name is one line of bounded length, and the id where it is empty", async () => {
    const named = (name: string) =>
      settings({
        "problem.yaml": goodPackage()["problem.yaml"]?.replace("name: Echo", `name: ${name}`) ?? "",
      });
    expect((await named('"  E\\u001b[31m\\ncho "')).manifest().name).toBe("E [31m cho");
    expect((await named('" "')).manifest().name).toBe("echo");
    expect(lines((await named("x".repeat(201))).result, "error")).toEqual([
      "problem.yaml:2 the name has 201 characters",
    ]);
  });

  it("names by language: English first", async () => {
    const { manifest } = await settings({
      "problem.yaml":
        goodPackage()["problem.yaml"]?.replace("name: Echo", "name:\n  sv: Eko\n  en: Echo!") ?? "",
      "statement/problem.sv.md": "Säg det igen.\n",
    });
    expect(manifest().name).toBe("Echo!");
  });
});
