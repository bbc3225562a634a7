import { describe, expect, it } from "vitest";
import { goodPackage, legacyPackage, zipOf } from "./archives.ts";
import { collectImports, lines } from "./importing.ts";

describe("output validators", () => {
  const custom = (files: Record<string, string>) =>
    zipOf({ ...legacyPackage(), "problem.yaml": "validation: custom\nvalidator_flags: strict\n", ...files });

  it.each([
    [
      "cpp",
      {
        "output_validators/v/validate.cc": "int main(){}\n",
        "output_validators/v/validate.h": "\n",
        "output_validators/v/README.md": "x\n",
      },
      ["validate.cc", "validate.h"],
      undefined,
    ],
    [
      "cpp",
      { "output_validators/validate.cpp": "int main(){}\n", "output_validators/testlib.h": "\n" },
      ["testlib.h", "validate.cpp"],
      undefined,
    ],
    ["c", { "output_validators/validate.c": "int main(){}\n" }, ["validate.c"], undefined],
    ["python", { "output_validators/v/validate.py": "\n" }, ["validate.py"], "validate.py"],
    [
      "python",
      { "output_validators/v/__main__.py": "\n", "output_validators/v/rules.py": "\n" },
      ["__main__.py", "rules.py"],
      "__main__.py",
    ],
    ["java", { "output_validators/v/Validate.java": "\n" }, ["Validate.java"], undefined],
    ["rust", { "output_validators/v.rs": "\n" }, ["v.rs"], undefined],
    [
      "cpp",
      { "output_validators/v/a.cpp": "\n", "output_validators/v/lib/b.h": "\n" },
      ["a.cpp", "lib/b.h"],
      undefined,
    ],
  ])("in %s", async (language, files, names, entryPoint) => {
    const imports = collectImports();
    const { validator } = imports.manifest(await imports.run(custom(files)));
    expect(validator).toMatchObject({ type: "custom", language, args: ["strict"] });
    if (validator.type !== "custom") throw new Error("default");
    expect(validator.files.map(({ name }) => name)).toEqual(names);
    expect(validator.entryPoint).toBe(entryPoint);
    for (const { sha256 } of validator.files) expect(imports.kept).toContain(sha256);
  });

  it("with build and run scripts, and all that is beside them", async () => {
    const imports = collectImports();
    const files = { "output_validators/v/build": "#!/bin/sh\n", "output_validators/v/jury.c": "\n" };
    expect(imports.manifest(await imports.run(custom(files))).validator).toMatchObject({
      type: "custom",
      script: true,
      files: [{ name: "build" }, { name: "jury.c" }],
    });
  });

  it("of 2025-09 need no setting", async () => {
    const imports = collectImports();
    const archive = zipOf({ ...goodPackage(), "output_validator/validate.py": "\n" });
    expect(imports.manifest(await imports.run(archive)).validator).toMatchObject({
      type: "custom",
      language: "python",
    });
  });

  it.each([
    ["no program", {}, "problem.yaml:1 validation is custom, but output_validators/ is empty"],
    [
      "several",
      { "output_validators/a/v.py": "\n", "output_validators/b/v.py": "\n" },
      "output_validators several output validators are not supported yet: a, b",
    ],
    [
      "an unknown language",
      { "output_validators/v.zig": "\n" },
      "output_validators the language of the output validator is not known: v.zig",
    ],
    [
      "two languages",
      { "output_validators/v/a.py": "\n", "output_validators/v/b.cpp": "\n" },
      "output_validators/v the output validator mixes languages: cpp, python",
    ],
    [
      "two scripts",
      { "output_validators/v/a.py": "\n", "output_validators/v/b.py": "\n" },
      "output_validators/v which file starts the validator is not clear: a.py, b.py",
    ],
  ])("are refused with %s", async (_what, files, message) => {
    expect(lines(await collectImports().run(custom(files)), "error")).toEqual([message]);
  });
});
