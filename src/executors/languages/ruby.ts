import { BASE_ENV, findSystemProgram } from "./findprogram.ts";
import type { LanguageDefinition } from "./language.ts";
import { checkEach, mainFile, sourcesOf } from "./sources.ts";

export const ruby: LanguageDefinition = {
  id: "ruby",
  packages: ["ruby"],
  async find({ path }) {
    const found = await findSystemProgram(["ruby"], ["--version"], path);
    if (found === undefined) return undefined;
    return {
      version: found.version,
      programs: { ruby: found.program },
      mounts: [],
      // Deep recursion is an algorithm, not an error.
      env: { ...BASE_ENV, RUBY_THREAD_VM_STACK_SIZE: String(64 * 1024 * 1024) },
    };
  },
  compile: ({ toolchain, files }) =>
    checkEach(`${toolchain.programs["ruby"] ?? "ruby"} --disable=gems -c`, sourcesOf(files, ["rb"])),
  run: ({ toolchain, files, entryPoint }) => [
    toolchain.programs["ruby"] ?? "ruby",
    mainFile(sourcesOf(files, ["rb"]), entryPoint, ["main.rb"]),
  ],
  engine: "native",
  timeFactor: 2,
  memoryBaseMiB: 32,
  processes: 32,
  selfTest: `require "set"
n = gets.to_i
puts Set.new([n, 1]).sum
`,
};
