import { BASE_ENV, versionLine } from "./findprogram.ts";
import type { LanguageDefinition } from "./language.ts";
import { mainFile, quoted, sourcesOf } from "./sources.ts";

const INSIDE = "/opt/node/bin/node";
const MEMORY_BASE_MIB = 64;
/** Deep recursion is an algorithm, not an error. The check has it too, as what is checked in the isolate has. */
const STACK = "--stack-size=65500";
const ENDINGS = ["js", "mjs", "cjs"];
const MAIN = ["main.js", "main.mjs", "main.cjs", "index.js"];

/** Then any script may be a module. */
const hasPackageFile = (files: readonly string[]): boolean =>
  files.some((name) => /(^|\/)package\.json$/.test(name));

export const javascript: LanguageDefinition = {
  id: "javascript",
  packages: [],
  async find({ node }) {
    const version = await versionLine(node, ["--version"]);
    if (version === undefined) return undefined;
    return {
      version: `Node.js ${version}`,
      programs: { node: INSIDE },
      mounts: [{ host: node, inside: INSIDE }],
      env: BASE_ENV,
    };
  },
  /** A syntax check of every file. */
  compile: ({ toolchain, files }) => [
    "/bin/sh",
    "-c",
    sourcesOf(files, ENDINGS)
      .map((file) => `${toolchain.programs["node"] ?? "node"} ${STACK} --check ${quoted(file)}`)
      .join(" && "),
  ],
  run: ({ toolchain, files, entryPoint, memoryMiB }) => [
    toolchain.programs["node"] ?? "node",
    // The heap may grow until the control group ends the program.
    `--max-old-space-size=${memoryMiB + MEMORY_BASE_MIB}`,
    STACK,
    mainFile(sourcesOf(files, ENDINGS), entryPoint, MAIN),
  ],
  isolateScript: ({ files, entryPoint }) => {
    const main = mainFile(sourcesOf(files, ENDINGS), entryPoint, MAIN);
    return hasPackageFile(files) ? undefined : main;
  },
  isolateCheck: ({ files }) => {
    const [file, more] = sourcesOf(files, ENDINGS);
    const isScript = file !== undefined && /\.c?js$/.test(file) && !hasPackageFile(files);
    return isScript && more === undefined ? file : undefined;
  },
  engine: "isolate",
  timeFactor: 2,
  memoryBaseMiB: MEMORY_BASE_MIB,
  processes: 32,
  selfTest: `const n = Number(require("fs").readFileSync(0, "utf8"));
console.log(String(n + 1));
`,
};
