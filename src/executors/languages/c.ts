import { BASE_ENV, findProgram, versionLine } from "./findprogram.ts";
import type { LanguageDefinition } from "./language.ts";
import { sourcesOf } from "./sources.ts";

export const c: LanguageDefinition = {
  id: "c",
  packages: ["gcc", "libc6-dev"],
  async find({ path }) {
    const gcc = await findProgram(["gcc"], { path });
    const version = gcc === undefined ? undefined : await versionLine(gcc, ["--version"]);
    if (gcc === undefined || version === undefined) return undefined;
    return { version, programs: { gcc }, mounts: [], env: BASE_ENV };
  },
  compile: ({ toolchain, files }) => [
    toolchain.programs["gcc"] ?? "gcc",
    "-O2",
    "-std=gnu17",
    "-o",
    "program",
    ...sourcesOf(files, ["c"]),
    "-lm",
  ],
  run: () => ["/box/program"],
  engine: "native",
  timeFactor: 1,
  memoryBaseMiB: 0,
  processes: 32,
  selfTest: `#include <stdio.h>
#include <math.h>
int main(void) { double n; if (scanf("%lf", &n) != 1) return 1; printf("%.0f\\n", floor(n) + 1); return 0; }
`,
};
