import { existsSync } from "node:fs";
import { BASE_ENV, findSystemProgram } from "./findprogram.ts";
import type { LanguageDefinition } from "./language.ts";
import { sourcesOf } from "./sources.ts";

/** Where Debian keeps the list of what libraries there are. */
const LIBRARIES = "/var/lib/ghc";

export const haskell: LanguageDefinition = {
  id: "haskell",
  packages: ["ghc"],
  async find({ path }) {
    const found = await findSystemProgram(["ghc"], ["--version"], path);
    if (found === undefined) return undefined;
    return {
      version: found.version,
      programs: { ghc: found.program },
      mounts: existsSync(LIBRARIES) ? [{ host: LIBRARIES, inside: LIBRARIES }] : [],
      env: BASE_ENV,
    };
  },
  compile: ({ toolchain, files, entryPoint }) => [
    toolchain.programs["ghc"] ?? "ghc",
    "-v0",
    "-O2",
    "-outputdir",
    "/tmp/ghc",
    "-o",
    "program",
    // A module with another name than Main is named by the entry point.
    ...(entryPoint === undefined || files.includes(entryPoint) ? [] : ["-main-is", entryPoint]),
    ...sourcesOf(files, ["hs"]),
  ],
  run: () => ["/box/program"],
  engine: "native",
  timeFactor: 1,
  memoryBaseMiB: 16,
  processes: 32,
  selfTest: `import qualified Data.Map as M
main :: IO ()
main = do
  n <- readLn :: IO Int
  print (M.findWithDefault 0 n (M.fromList [(n, n + 1)]))
`,
};
