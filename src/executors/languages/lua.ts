import { findProgram, BASE_ENV, findSystemProgram } from "./findprogram.ts";
import type { LanguageDefinition } from "./language.ts";
import { checkEach, mainFile, sourcesOf } from "./sources.ts";

const NAMES = ["lua5.4", "lua5.3"];

export const lua: LanguageDefinition = {
  id: "lua",
  packages: ["lua5.4"],
  async find({ path }) {
    const found = await findSystemProgram(NAMES, ["-v"], path);
    // Beside the interpreter, and of the same version.
    const luac = found && (await findProgram([found.program.replace(/^.*\/lua/, "luac")], { path }));
    if (found === undefined || luac === undefined) return undefined;
    return { version: found.version, programs: { lua: found.program, luac }, mounts: [], env: BASE_ENV };
  },
  compile: ({ toolchain, files }) =>
    checkEach(`${toolchain.programs["luac"] ?? "luac"} -p`, sourcesOf(files, ["lua"])),
  run: ({ toolchain, files, entryPoint }) => [
    toolchain.programs["lua"] ?? "lua",
    mainFile(sourcesOf(files, ["lua"]), entryPoint, ["main.lua"]),
  ],
  engine: "native",
  timeFactor: 2,
  memoryBaseMiB: 8,
  processes: 32,
  selfTest: `local n = io.read("n")
print(math.tointeger(n + #({ 1 })))
`,
};
