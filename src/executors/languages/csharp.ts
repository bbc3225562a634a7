import { existsSync } from "node:fs";
import { BASE_ENV, findSystemProgram } from "./findprogram.ts";
import type { LanguageDefinition } from "./language.ts";
import { sourcesOf } from "./sources.ts";

const COMPILER = "/usr/lib/mono/4.5/mcs.exe";
/** Says which system library stands for which of Windows. */
const SETTINGS = "/etc/mono";

export const csharp: LanguageDefinition = {
  id: "csharp",
  packages: ["mono-mcs", "libmono-system-core4.0-cil", "libmono-system-numerics4.0-cil"],
  async find({ path }) {
    const found = await findSystemProgram(["mono"], ["--version"], path);
    if (found === undefined || !existsSync(COMPILER)) return undefined;
    return {
      version: found.version,
      programs: { mono: found.program },
      mounts: existsSync(SETTINGS) ? [{ host: SETTINGS, inside: SETTINGS }] : [],
      env: BASE_ENV,
    };
  },
  compile: ({ toolchain, files, entryPoint }) => [
    toolchain.programs["mono"] ?? "mono",
    COMPILER,
    "-optimize+",
    "-r:System.Numerics.dll",
    "-out:program.exe",
    ...(entryPoint === undefined || files.includes(entryPoint) ? [] : [`-main:${entryPoint}`]),
    ...sourcesOf(files, ["cs"]),
  ],
  run: ({ toolchain }) => [toolchain.programs["mono"] ?? "mono", "/box/program.exe"],
  engine: "native",
  timeFactor: 2,
  memoryBaseMiB: 64,
  processes: 64,
  selfTest: `using System;
using System.Linq;
class Program {
  static void Main() { Console.WriteLine(new[] { int.Parse(Console.ReadLine()), 1 }.Sum()); }
}
`,
};
