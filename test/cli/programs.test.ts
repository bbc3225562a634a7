import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { readPrograms } from "../../src/cli/programs.ts";
import { LANGUAGE_IDS, type LanguageId, languageOfFile, LANGUAGES } from "../../src/shared/language.ts";
import { writeFiles } from "./packages.ts";

const examples = join(import.meta.dirname, "../../examples/problems");

const labelsOf = (programs: Awaited<ReturnType<typeof readPrograms>>, language: LanguageId): string[] =>
  programs.filter((one) => one.language === language).map(({ expectation }) => expectation.label);

it("each example problem has a right, wrong, slow, crashing and non-compiling program in seven languages", async () => {
  for (const problem of await readdir(examples)) {
    const programs = await readPrograms(join(examples, problem));
    for (const language of ["c", "cpp", "python", "java", "go", "rust", "javascript"] as const) {
      expect([problem, language, labelsOf(programs, language)]).toEqual([
        problem,
        language,
        expect.arrayContaining(["AC", "WA", "TLE", "RTE", "CE"]),
      ]);
    }
  }
});

it("the first example has a right and a wrong program in every language", async () => {
  const programs = await readPrograms(join(examples, "hello"));
  // Others of the same file ending are chosen by name only; answers are no programs.
  const ids = LANGUAGE_IDS.filter((id) => id !== "text" && languageOfFile(LANGUAGES[id].defaultFile) === id);
  expect(ids.length).toBeGreaterThan(15);
  for (const language of ids) {
    expect([language, labelsOf(programs, language)]).toEqual([
      language,
      expect.arrayContaining(["AC", "WA"]),
    ]);
  }
});

it("tells languages, directories, and why something cannot be judged", async () => {
  const folder = await mkdtemp(join(tmpdir(), "docket-test-"));
  try {
    await writeFiles(folder, {
      "problem.yaml": "problem_format_version: 2025-09\nconstants: {N: {value: 5, WORD: five}}\n",
      "submissions/accepted/off.py.disabled": "x\n",
      "submissions/accepted/off2.java.disabled/Main.java": "x\n",
      "submissions/accepted/constant.py": "{{N}} {{N.WORD}}\n",
      "submissions/accepted/two/main.cpp": "x\n",
      "submissions/accepted/two/part.c": "x\n",
      "submissions/accepted/two/part.h": "x\n",
      "submissions/accepted/two/README.txt": "x\n",
      "submissions/accepted/old.py": "#!/usr/bin/python2\n",
      "submissions/accepted/logic.pl": "[kattio].\n\nmain :-\n  read_int(X).\n",
      "submissions/accepted/mixed/a.py": "x\n",
      "submissions/accepted/mixed/b.go": "x\n",
      "submissions/accepted/deep/sub/a.py": "x\n",
      "submissions/accepted/x.zig": "x\n",
      "submissions/odd/named.txt": "x\n",
      "submissions/submissions.yaml":
        "odd/named.txt: {language: python3, entrypoint: named.txt, permitted: [AC, TLE], required: [TLE]}\n",
    });
    const programs = await readPrograms(folder);
    const shown = programs.map(({ path, language, reason, files, expectation }) => [
      path,
      language ?? reason,
      files.map(({ name }) => name).join(" "),
      expectation.label,
    ]);
    expect(shown).toEqual([
      ["accepted/constant.py", "python", "constant.py", "AC"],
      ["accepted/deep", "folders inside a program are not supported", "", "AC"],
      ["accepted/logic.pl", "Prolog is no language here", "logic.pl", "AC"],
      ["accepted/mixed", "several languages: python, go", "a.py b.go", "AC"],
      ["accepted/off.py.disabled", "switched off", "off.py.disabled", "AC"],
      ["accepted/off2.java.disabled", "switched off", "Main.java", "AC"],
      ["accepted/old.py", "Python 2 is no language here", "old.py", "AC"],
      ["accepted/two", "cpp", "main.cpp part.c part.h", "AC"],
      ["accepted/x.zig", "no language here for .zig", "x.zig", "AC"],
      ["odd/named.txt", "python", "named.txt", "TLE"],
    ]);
    expect(programs[0]?.files[0]?.content).toBe("5 {{N.WORD}}\n");
    expect(programs.at(-1)?.entryPoint).toBe("named.txt");
  } finally {
    await rm(folder, { recursive: true });
  }
});

it("names the file that is no YAML", async () => {
  const folder = await mkdtemp(join(tmpdir(), "docket-test-"));
  try {
    await writeFiles(folder, { "problem.yaml": "name: x\n", "submissions/submissions.yaml": "a: [\n" });
    await expect(readPrograms(folder)).rejects.toThrow(/submissions\.yaml: /);
  } finally {
    await rm(folder, { recursive: true });
  }
});
