import { BASE_ENV } from "../languages/findprogram.ts";
import type { LanguageDefinition } from "../languages/language.ts";
import type { BuildDeps } from "./build.ts";
import type { UsableLanguage } from "./compiler.ts";

/**
 * Programs of a package that bring a `build` or `run` script: POSIX shell, with cc, c++ and python3 on the path, as the
 * format promises them. `build` takes the compiler's place; what it leaves as `run` is the program.
 */
const DEFINITION: Omit<LanguageDefinition, "id" | "find"> = {
  packages: ["gcc", "g++", "python3"],
  compile: ({ files }) => [
    "/bin/sh",
    "-c",
    `${files.includes("build") ? "/bin/sh ./build >&2 || exit 1; " : ""}[ -f ./run ] || { echo "there is no file called run" >&2; exit 1; }`,
  ],
  // Made by build it is a program; out of the package it is a script without the mode of one.
  run: () => ["/bin/sh", "-c", 'if [ -x ./run ]; then exec ./run "$@"; fi; exec /bin/sh ./run "$@"', "run"],
  engine: "native",
  timeFactor: 1,
  memoryBaseMiB: 0,
  processes: 64,
  selfTest: "",
};

const SCRIPTED: UsableLanguage = {
  definition: { ...DEFINITION, id: "bash", find: () => Promise.resolve(undefined) },
  toolchain: { version: "build and run scripts", programs: {}, mounts: [], env: BASE_ENV },
};

/** Builds scripts in place of whatever language is named. A script that fails says nothing about a toolchain of ours. */
export const scripted = (deps: BuildDeps): BuildDeps => ({
  ...deps,
  language: () => SCRIPTED,
});
