import { BASE_ENV, findSystemProgram } from "./findprogram.ts";
import type { LanguageDefinition } from "./language.ts";
import { checkEach, mainFile, sourcesOf } from "./sources.ts";

export const bash: LanguageDefinition = {
  id: "bash",
  packages: ["bash"],
  async find({ path }) {
    const found = await findSystemProgram(["bash"], ["--version"], path);
    if (found === undefined) return undefined;
    return { version: found.version, programs: { bash: found.program }, mounts: [], env: BASE_ENV };
  },
  compile: ({ toolchain, files }) =>
    checkEach(`${toolchain.programs["bash"] ?? "bash"} -n`, sourcesOf(files, ["sh", "bash"])),
  run: ({ toolchain, files, entryPoint }) => [
    toolchain.programs["bash"] ?? "bash",
    // With a folder before it, by which a script finds the ones beside it.
    `./${mainFile(sourcesOf(files, ["sh", "bash"]), entryPoint, ["main.sh"])}`,
  ],
  engine: "native",
  timeFactor: 2,
  memoryBaseMiB: 16,
  // Every command of a pipe is one.
  processes: 64,
  selfTest: `read -r n
numbers=("$n" 1)
echo "\${numbers[@]}" | tr ' ' '+' | { read -r sum; echo $((sum)); }
`,
};
