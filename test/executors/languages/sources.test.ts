import { describe, expect, it } from "vitest";
import { LANGUAGE_DEFINITIONS } from "../../../src/executors/languages/languages.ts";
import { mainFile, quoted, sourcesOf } from "../../../src/executors/languages/sources.ts";

const toolchain = { version: "1", programs: {}, mounts: [], env: {} };
const run = (id: keyof typeof LANGUAGE_DEFINITIONS, files: string[], entryPoint?: string): string =>
  LANGUAGE_DEFINITIONS[id].run({ toolchain, files, entryPoint, memoryMiB: 64 }).join(" ");
const compile = (id: keyof typeof LANGUAGE_DEFINITIONS, files: string[]): string =>
  LANGUAGE_DEFINITIONS[id].compile?.({ toolchain, files }).join(" ") ?? "";

describe("which file a program starts with", () => {
  it("the entry point, the usual name, the first", () => {
    expect(mainFile(["a.py", "main.py", "b.py"], "b.py", ["main.py"])).toBe("b.py");
    expect(mainFile(["a.py", "main.py"], undefined, ["main.py"])).toBe("main.py");
    expect(mainFile(["a.py", "b.py"], "gone.py", ["main.py"])).toBe("a.py");
    expect(() => mainFile([], undefined, [])).toThrow(RangeError);
  });

  it("by language", () => {
    expect(run("python", ["data.txt", "solve.py"])).toMatch(/ solve\.py$/);
    expect(run("bash", ["lib.sh", "main.sh"])).toMatch(/ \.\/main\.sh$/);
    expect(run("java", ["Helper.java", "Main.java"])).toMatch(/ Main$/);
    expect(run("java", ["org/Solve.java"])).toMatch(/ org\.Solve$/);
    expect(run("java", ["A.java"], "org.Other")).toMatch(/ org\.Other$/);
    expect(run("javascript", ["lib.js", "index.js"])).toMatch(/ index\.js$/);
  });
});

describe("which files are compiled", () => {
  it("sources and no headers", () => {
    expect(sourcesOf(["a.h", "b.cpp", "c.cc"], ["cpp", "cc"])).toEqual(["b.cpp", "c.cc"]);
    expect(sourcesOf(["program"], ["cpp"])).toEqual(["program"]);
    expect(compile("cpp", ["a.h", "b.cpp"])).not.toContain("a.h");
    expect(compile("c", ["a.h", "b.c"])).toMatch(/b\.c -lm$/);
  });

  it("names are words of the shell, whatever is in them", () => {
    expect(quoted("it's; rm")).toBe(`'it'\\''s; rm'`);
    expect(compile("javascript", ["a b.js"])).toContain("'a b.js'");
  });
});
