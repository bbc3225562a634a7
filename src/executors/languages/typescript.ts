import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { BASE_ENV, versionLine } from "./findprogram.ts";
import { javascript } from "./javascript.ts";
import type { LanguageDefinition } from "./language.ts";
import { mainFile, sourcesOf } from "./sources.ts";

const INSIDE = "/opt/typescript";
const ENDINGS = ["ts", "mts", "cts"];

const folderOf = (require: NodeJS.Require, name: string): string | undefined => {
  try {
    return dirname(require.resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
};

/** Name of what the compiler makes of a source. */
const compiled = (file: string): string => file.replace(/\.([mc]?)ts$/, ".$1js");

/** The main file among the sources, as compiled: from there on it is a JavaScript program. */
const asJavaScript = <Input extends { files: readonly string[]; entryPoint?: string | undefined }>(
  input: Input,
): Input => ({
  ...input,
  entryPoint: undefined,
  files: [
    compiled(
      mainFile(sourcesOf(input.files, ENDINGS), input.entryPoint, ["main.ts", "main.mts", "index.ts"]),
    ),
  ],
});

/**
 * TypeScript's own compiler checks the types, with those of Node; what it makes runs as JavaScript does: in the
 * isolate where that will do, else in Node.
 */
export const typescript: LanguageDefinition = {
  id: "typescript",
  // It comes with Docket's own packages (npm).
  packages: [],
  async find(places) {
    const node = await javascript.find(places);
    const require = createRequire(import.meta.url);
    const folder = folderOf(require, `@typescript/typescript-${process.platform}-${process.arch}`);
    const types = folderOf(require, "@types/node");
    if (node === undefined || folder === undefined || types === undefined) return undefined;
    const undici = folderOf(createRequire(join(types, "package.json")), "undici-types");
    const lib = join(folder, "lib");
    if (undici === undefined || !existsSync(join(lib, "tsc"))) return undefined;
    const version = await versionLine(join(lib, "tsc"), ["--version"]);
    if (version === undefined) return undefined;
    return {
      version: `TypeScript ${version.replace(/^Version /, "")}, ${node.version}`,
      programs: { ...node.programs, tsc: `${INSIDE}/lib/tsc` },
      mounts: [
        ...node.mounts,
        { host: lib, inside: `${INSIDE}/lib` },
        { host: types, inside: `${INSIDE}/node_modules/@types/node` },
        { host: undici, inside: `${INSIDE}/node_modules/undici-types` },
      ],
      env: BASE_ENV,
    };
  },
  compile: ({ toolchain, files }) =>
    [
      toolchain.programs["tsc"] ?? "tsc",
      ["--ignoreConfig", "--pretty", "false", "--noEmitOnError"],
      ["--target", "es2024", "--module", "commonjs", "--moduleResolution", "bundler", "--esModuleInterop"],
      // What a small program may leave out is its own business.
      ["--strict", "false", "--skipLibCheck", "--rootDir", ".", "--outDir", "."],
      ["--typeRoots", `${INSIDE}/node_modules/@types`, "--types", "node"],
      [...sourcesOf(files, ENDINGS)],
    ].flat() as unknown as readonly [string, ...string[]],
  run: (input) => javascript.run(asJavaScript(input)),
  isolateScript: (input) => javascript.isolateScript?.(asJavaScript(input)),
  engine: "isolate",
  timeFactor: javascript.timeFactor,
  memoryBaseMiB: javascript.memoryBaseMiB,
  processes: javascript.processes,
  selfTest: `import { readFileSync } from "fs";
const numbers: number[] = [Number(readFileSync(0, "utf8")), 1];
console.log(numbers.reduce((a: number, b: number): number => a + b));
`,
};
