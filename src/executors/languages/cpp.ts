import { stat } from "node:fs/promises";
import type { LanguageId } from "../../shared/language.ts";
import { askTool, BASE_ENV, findProgram, versionLine } from "./findprogram.ts";
import { type LanguageDefinition, type Prepared, preparedInside } from "./language.ts";
import { quoted, sourcesOf } from "./sources.ts";

/** What most programs include first; only the first header of a source can be a precompiled one. */
const HEADERS = ["bits/stdc++.h", "iostream"];

/**
 * A precompiled header serves only who compiles with the very same options, and once: the header's own text lies beside
 * it for whoever includes it again, as g++ does not look further where it found one precompiled.
 */
function precompiledHeaders(
  id: LanguageId,
  compiler: readonly string[],
  stamp: readonly unknown[],
): Prepared {
  const compile = (header: string): string =>
    `mkdir -p $(dirname ${header}); echo '#include <${header}>' > all.h; ` +
    `${compiler.map(quoted).join(" ")} -x c++-header -o ${header}.gch all.h; ` +
    `echo '#include_next <${header}>' > ${header}`;
  return {
    name: id,
    script: HEADERS.map(compile).join("\n"),
    files: {},
    keep: HEADERS.flatMap((header) => [header, `${header}.gch`]),
    stamp,
  };
}

/** C++ by one standard of the language. */
function cppOf(id: LanguageId, standard: "17" | "20" | "23"): LanguageDefinition {
  const options = ["-O2", `-std=gnu++${standard}`];
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
      // The compiler proper, whose precompiled headers no other build of it reads.
      const inner = (await askTool(gxx, ["-print-prog-name=cc1plus"])) ?? gxx;
      const { size, mtimeMs } = await stat(inner);
      const prepared = [precompiledHeaders(id, [gxx, ...options], [version, size, mtimeMs])];
      return { version, programs: { "g++": gxx }, mounts: [], env: BASE_ENV, prepared };
    },
    compile: ({ toolchain, files }) => [
      toolchain.programs["g++"] ?? "g++",
      ...options,
      // Searched before the system's folders; a header there is one that was precompiled.
      `-I${preparedInside(id)}`,
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
