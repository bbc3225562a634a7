import { BASE_ENV, findProgram, versionLine } from "./findprogram.ts";
import type { LanguageDefinition } from "./language.ts";
import { mainFile, sourcesOf } from "./sources.ts";

const ENDINGS = ["py", "py3"];

const PYTHON_SYNTAX_CHECK = `import sys
for name in sys.argv[1:]:
    with open(name, "rb") as f: text = f.read()
    try: compile(text, name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as e:
        import traceback
        sys.stderr.write("".join(traceback.format_exception_only(type(e), e)))
        sys.exit(1)
`;

/** How an interpreter of Python checks and runs a program. */
export const pythonCommands = (
  interpreter: "python3" | "pypy3",
): Pick<LanguageDefinition, "compile" | "run"> => ({
  /** A syntax check: a program that cannot be parsed is a compile error in every judge. */
  compile: ({ toolchain, files }) => [
    toolchain.programs[interpreter] ?? interpreter,
    "-S",
    "-E",
    "-c",
    PYTHON_SYNTAX_CHECK,
    ...sourcesOf(files, ENDINGS),
  ],
  run: ({ toolchain, files, entryPoint }) => [
    toolchain.programs[interpreter] ?? interpreter,
    mainFile(sourcesOf(files, ENDINGS), entryPoint, ["main.py", "__main__.py"]),
  ],
});

export const PYTHON_ENV = { ...BASE_ENV, PYTHONDONTWRITEBYTECODE: "1", PYTHONNOUSERSITE: "1" };

export const PYTHON_SELF_TEST = `import sys, json, math
print(json.loads(sys.stdin.readline()) + math.gcd(3, 2))
`;

export const python: LanguageDefinition = {
  id: "python",
  packages: ["python3"],
  async find({ path }) {
    const python3 = await findProgram(["python3"], { path });
    const version = python3 === undefined ? undefined : await versionLine(python3, ["--version"]);
    // One that a version manager keeps in a home folder would need all of that folder shown.
    if (python3 === undefined || version === undefined || !python3.startsWith("/usr/")) return undefined;
    return {
      version,
      programs: { python3 },
      mounts: [],
      env: PYTHON_ENV,
    };
  },
  ...pythonCommands("python3"),
  engine: "native",
  timeFactor: 2,
  memoryBaseMiB: 16,
  processes: 32,
  selfTest: PYTHON_SELF_TEST,
};
