import { BASE_ENV } from "./findprogram.ts";
import type { LanguageDefinition } from "./language.ts";
import { mainFile } from "./sources.ts";

/** Answers in place of a program. Problems of type submit-answer take a file for each test and run nothing. */
export const text: LanguageDefinition = {
  id: "text",
  packages: ["coreutils"],
  find: () =>
    Promise.resolve({ version: "as they are", programs: { cat: "/usr/bin/cat" }, mounts: [], env: BASE_ENV }),
  run: ({ files, entryPoint }) => ["/usr/bin/cat", mainFile(files, entryPoint, [])],
  engine: "native",
  timeFactor: 1,
  memoryBaseMiB: 0,
  processes: 1,
  selfTest: "42\n",
};
