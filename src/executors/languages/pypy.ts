import { BASE_ENV, findSystemProgram } from "./findprogram.ts";
import type { LanguageDefinition } from "./language.ts";
import { PYTHON_SYNTAX_CHECK } from "./python.ts";
import { mainFile, sourcesOf } from "./sources.ts";

export const pypy: LanguageDefinition = {
  id: "pypy",
  packages: ["pypy3"],
  async find({ path }) {
    // Its --version says first which Python it speaks, then which PyPy it is.
    const says = ["-c", "import sys; print(' '.join(('PyPy3', sys.version.replace(chr(10), ' '))))"];
    const found = await findSystemProgram(["pypy3"], says, path);
    if (found === undefined) return undefined;
    return {
      version: found.version,
      programs: { pypy3: found.program },
      mounts: [],
      env: { ...BASE_ENV, PYTHONDONTWRITEBYTECODE: "1", PYTHONNOUSERSITE: "1" },
    };
  },
  compile: ({ toolchain, files }) => [
    toolchain.programs["pypy3"] ?? "pypy3",
    "-S",
    "-E",
    "-c",
    PYTHON_SYNTAX_CHECK,
    ...sourcesOf(files, ["py", "py3"]),
  ],
  run: ({ toolchain, files, entryPoint }) => [
    toolchain.programs["pypy3"] ?? "pypy3",
    mainFile(sourcesOf(files, ["py", "py3"]), entryPoint, ["main.py", "__main__.py"]),
  ],
  engine: "native",
  timeFactor: 2,
  // Its just-in-time compiler and larger nursery.
  memoryBaseMiB: 96,
  processes: 32,
  selfTest: `import sys, json, math
print(json.loads(sys.stdin.readline()) + math.gcd(3, 2))
`,
};
