import { existsSync } from "node:fs";
import { BASE_ENV, findSystemProgram } from "./findprogram.ts";
import type { LanguageDefinition } from "./language.ts";
import { checkEach, mainFile, sourcesOf } from "./sources.ts";

/** Which extensions are there is said by the distribution's own settings. */
const SETTINGS = "/etc/php";

/** Errors belong to standard error; the control group is the memory limit. */
const OPTIONS = [
  ["-d", "display_errors=stderr"],
  ["-d", "log_errors=0"],
  ["-d", "html_errors=0"],
  ["-d", "memory_limit=-1"],
  ["-d", "max_execution_time=0"],
  ["-d", "zend.assertions=-1"],
].flat();

export const php: LanguageDefinition = {
  id: "php",
  packages: ["php-cli"],
  async find({ path }) {
    const found = await findSystemProgram(["php"], ["--version"], path);
    if (found === undefined) return undefined;
    return {
      version: found.version,
      programs: { php: found.program },
      mounts: existsSync(SETTINGS) ? [{ host: SETTINGS, inside: SETTINGS }] : [],
      env: BASE_ENV,
    };
  },
  compile: ({ toolchain, files }) =>
    checkEach(`${toolchain.programs["php"] ?? "php"} ${OPTIONS.join(" ")} -l`, sourcesOf(files, ["php"])),
  run: ({ toolchain, files, entryPoint }) => [
    toolchain.programs["php"] ?? "php",
    ...OPTIONS,
    mainFile(sourcesOf(files, ["php"]), entryPoint, ["main.php", "index.php"]),
  ],
  engine: "native",
  timeFactor: 2,
  memoryBaseMiB: 32,
  processes: 32,
  selfTest: `<?php
$n = json_decode(trim(fgets(STDIN)));
echo array_sum([$n, 1]), "\\n";
`,
};
