import { BASE_ENV, findProgram, versionLine } from "./findprogram.ts";
import type { LanguageDefinition } from "./language.ts";
import { sourcesOf } from "./sources.ts";

export const cpp: LanguageDefinition = {
  id: "cpp",
  packages: ["g++"],
  async find({ path }) {
    const gxx = await findProgram(["g++"], { path });
    const version = gxx === undefined ? undefined : await versionLine(gxx, ["--version"]);
    if (gxx === undefined || version === undefined) return undefined;
    return { version, programs: { "g++": gxx }, mounts: [], env: BASE_ENV };
  },
  compile: ({ toolchain, files }) => [
    toolchain.programs["g++"] ?? "g++",
    "-O2",
    "-std=gnu++20",
    "-o",
    "program",
    ...sourcesOf(files, ["cpp", "cc", "cxx", "c++", "C"]),
  ],
  run: () => ["/box/program"],
  engine: "native",
  timeFactor: 1,
  memoryBaseMiB: 0,
  processes: 32,
  selfTest: `#include <iostream>
#include <vector>
int main() { long n; std::cin >> n; std::vector<long> v{n, 1}; std::cout << v[0] + v[1] << std::endl; }
`,
};
