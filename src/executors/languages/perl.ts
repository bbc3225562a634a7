import { BASE_ENV, findSystemProgram } from "./findprogram.ts";
import type { LanguageDefinition } from "./language.ts";
import { checkEach, mainFile, sourcesOf } from "./sources.ts";

export const perl: LanguageDefinition = {
  id: "perl",
  packages: ["perl"],
  async find({ path }) {
    const found = await findSystemProgram(["perl"], ["-e", "print qq(Perl $^V\\n)"], path);
    if (found === undefined) return undefined;
    return { version: found.version, programs: { perl: found.program }, mounts: [], env: BASE_ENV };
  },
  compile: ({ toolchain, files }) =>
    checkEach(`${toolchain.programs["perl"] ?? "perl"} -c`, sourcesOf(files, ["pl"])),
  run: ({ toolchain, files, entryPoint }) => [
    toolchain.programs["perl"] ?? "perl",
    mainFile(sourcesOf(files, ["pl"]), entryPoint, ["main.pl"]),
  ],
  engine: "native",
  timeFactor: 2,
  memoryBaseMiB: 16,
  processes: 32,
  selfTest: `use strict; use warnings; use List::Util qw(sum);
my $n = <STDIN>; chomp $n;
print sum($n, 1), "\\n";
`,
};
