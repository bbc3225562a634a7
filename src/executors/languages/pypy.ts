import { findSystemProgram } from "./findprogram.ts";
import type { LanguageDefinition } from "./language.ts";
import { PYTHON_ENV, PYTHON_SELF_TEST, pythonCommands } from "./python.ts";

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
      env: PYTHON_ENV,
    };
  },
  ...pythonCommands("pypy3"),
  engine: "native",
  timeFactor: 2,
  // Its just-in-time compiler and larger nursery.
  memoryBaseMiB: 96,
  processes: 32,
  selfTest: PYTHON_SELF_TEST,
};
