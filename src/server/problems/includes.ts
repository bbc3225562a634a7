import type { LanguageId } from "../../shared/language.ts";
import { languageNamed } from "../../shared/language.ts";
import type { Findings } from "./finding.ts";
import type { PackageTree } from "./tree.ts";
import type { UnpackedFile } from "./unpack.ts";

/** Files that are put beside each submission of a language, or of all ("default"). */
type Includes = ReadonlyMap<
  LanguageId | "default",
  readonly { readonly name: string; readonly file: UnpackedFile }[]
>;

export function findIncludes(tree: PackageTree, findings: Findings): Includes {
  const includes = new Map<LanguageId | "default", { name: string; file: UnpackedFile }[]>();
  for (const [path, file] of tree.files) {
    const [, folder = "", name] = /^include\/([^/]+)\/(.+)$/.exec(path) ?? [];
    if (name === undefined) {
      if (path.startsWith("include/")) {
        findings.warn(path, "ignored: included files stand in a folder of their language", {
          expected: `include/default/${path.slice("include/".length)}`,
        });
      }
      continue;
    }
    const language = folder === "default" ? folder : languageNamed(folder);
    if (language === undefined) {
      const known =
        includes.size > 0 || [...tree.files.keys()].some((one) => one.startsWith("include/default/"));
      findings.warn(path, `ignored: ${folder} is no language here${known ? "" : ", nor default"}`);
      continue;
    }
    const files = includes.get(language) ?? [];
    files.push({ name, file });
    includes.set(language, files);
  }
  return includes;
}
