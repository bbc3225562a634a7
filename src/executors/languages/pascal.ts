import { existsSync } from "node:fs";
import { BASE_ENV, findSystemProgram } from "./findprogram.ts";
import type { LanguageDefinition } from "./language.ts";
import { mainFile } from "./sources.ts";

/** Where the compiler's units are is said here and nowhere else. */
const SETTINGS = "/etc/fpc.cfg";

export const pascal: LanguageDefinition = {
  id: "pascal",
  packages: ["fp-compiler"],
  async find({ path }) {
    const found = await findSystemProgram(["fpc"], ["-iW"], path);
    if (found === undefined) return undefined;
    return {
      version: `Free Pascal ${found.version}`,
      programs: { fpc: found.program },
      mounts: existsSync(SETTINGS) ? [{ host: SETTINGS, inside: SETTINGS }] : [],
      env: BASE_ENV,
    };
  },
  compile: ({ toolchain, files, entryPoint }) => [
    toolchain.programs["fpc"] ?? "fpc",
    // No banner and no progress; warnings and errors.
    "-l-",
    "-v0ew",
    "-O2",
    "-XS",
    "-FU/tmp",
    "-oprogram",
    mainFile(files, entryPoint, ["main.pas", "main.pp", "main.dpr"]),
  ],
  run: () => ["/box/program"],
  engine: "native",
  timeFactor: 1,
  memoryBaseMiB: 0,
  processes: 32,
  selfTest: `program main;
uses sysutils;
var n: longint;
begin
  readln(n);
  writeln(IntToStr(n + 1));
end.
`,
};
