import { BASE_ENV, findSystemProgram } from "./findprogram.ts";
import type { LanguageDefinition } from "./language.ts";
import { sourcesOf } from "./sources.ts";

export const ocaml: LanguageDefinition = {
  id: "ocaml",
  packages: ["ocaml-nox"],
  async find({ path }) {
    const found = await findSystemProgram(["ocamlopt"], ["-version"], path);
    if (found === undefined) return undefined;
    return {
      version: `OCaml ${found.version}`,
      programs: { ocamlopt: found.program },
      mounts: [],
      env: BASE_ENV,
    };
  },
  compile: ({ toolchain, files }) => [
    "/bin/sh",
    "-c",
    // Sorted by what needs what, as files may come in any order. The folders are where OCaml 5 keeps the libraries.
    `c=${toolchain.programs["ocamlopt"] ?? "ocamlopt"} && s=$($c -depend -sort "$@") && ` +
      "exec $c -O3 -I +unix -I +str unix.cmxa str.cmxa -o program $s",
    "ocaml",
    ...sourcesOf(files, ["ml"]),
  ],
  run: () => ["/box/program"],
  engine: "native",
  timeFactor: 1,
  memoryBaseMiB: 8,
  processes: 32,
  selfTest: `let () = Scanf.scanf " %d" (fun n -> Printf.printf "%d\\n" (List.fold_left (+) 0 [n; 1]))
`,
};
