import type { LanguageId } from "../../shared/language.ts";
import { askTool, BASE_ENV, findProgram, versionLine } from "./findprogram.ts";
import type { LanguageDefinition } from "./language.ts";
import { sourcesOf } from "./sources.ts";

/** C++ by one standard of the language. */
function cppOf(id: LanguageId, standard: "17" | "20" | "23"): LanguageDefinition {
  return {
    id,
    packages: ["g++"],
    async find({ path }) {
      const gxx = await findProgram(["g++"], { path });
      if (gxx === undefined) return undefined;
      // An older one knows fewer standards.
      const known = await askTool(gxx, [`-std=gnu++${standard}`, "-E", "-x", "c++", "/dev/null"]);
      const version = known === undefined ? undefined : await versionLine(gxx, ["--version"]);
      if (version === undefined) return undefined;
      return { version, programs: { "g++": gxx }, mounts: [], env: BASE_ENV };
    },
    compile: ({ toolchain, files }) => [
      toolchain.programs["g++"] ?? "g++",
      "-O2",
      `-std=gnu++${standard}`,
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
}

/** The default: what a program gets whose owner asks for C++ and no more. */
export const cpp = cppOf("cpp", "20");
export const cpp17 = cppOf("cpp17", "17");
export const cpp23 = cppOf("cpp23", "23");
