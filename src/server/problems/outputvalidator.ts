import type { LanguageId } from "../../shared/language.ts";
import { languageOfFile } from "../../shared/language.ts";
import type { Findings } from "./finding.ts";
import type { PackageSettings } from "./settings.ts";
import { namesIn, type PackageTree } from "./tree.ts";
import type { UnpackedFile } from "./unpack.ts";

/** The package's own output validator as a program: one language, files without folders. */
export interface ValidatorProgram {
  readonly language: LanguageId;
  readonly files: readonly { readonly name: string; readonly file: UnpackedFile }[];
  readonly entryPoint: string | undefined;
}

const LANGUAGES: ReadonlySet<LanguageId> = new Set(["c", "cpp", "python", "java"]);
const HEADER = /\.(h|hh|hpp|hxx|inc)$/;
/** Kept out of the program without a word: notes about it. */
const NOTE = /^(readme|license|licence|makefile)|\.(md|txt|yaml)$/i;

/** Where the layout keeps it; a 2025-09 package may still use the folder's name of the drafts. */
function folderOf(tree: PackageTree, settings: PackageSettings, findings: Findings): string {
  if (settings.layout === "legacy") return "output_validators";
  const has = (folder: string): boolean =>
    [...tree.files.keys()].some((path) => path.startsWith(`${folder}/`));
  if (!has("output_validator") && has("output_validators")) {
    findings.warn("output_validators", "read as output_validator, which is its name since 2025-09");
    return "output_validators";
  }
  return "output_validator";
}

/** The folder whose files are the program: `folder` itself or its one directory. */
function programFolder(tree: PackageTree, folder: string, findings: Findings): string | undefined {
  const { files, folders } = namesIn(tree, folder);
  const programs = files.filter((name) => !NOTE.test(name) && !HEADER.test(name));
  const [only] = folders;
  if (only === undefined) return folder;
  if (folders.length > 1 || programs.length > 0) {
    const names = [...folders, ...programs].join(", ");
    findings.error(folder, `several output validators are not supported yet: ${names}`, {
      expected: "one program: a file or one directory",
    });
    return undefined;
  }
  return `${folder}/${only}`;
}

/** The script that starts a Python validator; undefined when that is not clear. */
function pythonEntryPoint(names: readonly string[]): string | undefined {
  const scripts = names.filter((name) => /\.py3?$/.test(name));
  if (scripts.length === 1) return scripts[0];
  return ["__main__.py", "main.py"].find((name) => scripts.includes(name));
}

/**
 * The custom output validator; undefined when the default one judges, or (with findings) when there is none that can
 * be used.
 */
export function findOutputValidator(
  tree: PackageTree,
  settings: PackageSettings,
  findings: Findings,
): ValidatorProgram | undefined {
  const folder = folderOf(tree, settings, findings);
  const present = [...tree.files.keys()].some((path) => path.startsWith(`${folder}/`));
  if (settings.validation === "default") {
    if (present) {
      findings.warn(folder, "ignored: validation is default", {
        expected: "validation: custom in problem.yaml",
      });
    }
    return undefined;
  }
  if (!present) {
    if (settings.validation === "custom") {
      findings.error("problem.yaml", `validation is custom, but ${folder}/ is empty`, {
        line: settings.yaml.lineOf("validation"),
        expected: "an output validator",
      });
    }
    return undefined;
  }
  const program = programFolder(tree, folder, findings);
  if (program === undefined) return undefined;
  const { files, folders } = namesIn(tree, program);
  for (const script of ["build", "run"].filter((name) => files.includes(name))) {
    findings.error(`${program}/${script}`, `validators with a ${script} script are not supported yet`, {
      expected: "sources in C, C++, Python or Java",
    });
  }
  for (const inner of folders) {
    findings.error(`${program}/${inner}`, "folders inside an output validator are not supported yet");
  }
  const sources = files.filter((name) => languageOfFile(name) !== undefined);
  const languages = new Set(sources.map((name) => languageOfFile(name)));
  // C beside C++ is one C++ program, as compilers of the format take it.
  if (languages.has("cpp")) languages.delete("c");
  const [language] = languages;
  const other = files.filter((name) => !sources.includes(name) && !HEADER.test(name) && !NOTE.test(name));
  if (language === undefined) {
    if (files.includes("build") || files.includes("run")) return undefined;
    findings.error(program, `the language of the output validator is not known: ${files.join(", ")}`, {
      expected: "C, C++, Python or Java",
    });
    return undefined;
  }
  if (languages.size > 1) {
    findings.error(
      program,
      `the output validator mixes languages: ${[...languages].map(String).toSorted().join(", ")}`,
      {
        expected: "one language",
      },
    );
    return undefined;
  }
  if (!LANGUAGES.has(language)) {
    findings.error(
      `${program}/${sources[0] ?? ""}`,
      `output validators in ${language} are not supported yet`,
      {
        expected: "C, C++, Python or Java",
      },
    );
    return undefined;
  }
  const entryPoint = language === "python" ? pythonEntryPoint(sources) : undefined;
  if (language === "python" && entryPoint === undefined) {
    findings.error(program, `which file starts the validator is not clear: ${sources.join(", ")}`, {
      expected: "one script, __main__.py or main.py",
    });
    return undefined;
  }
  for (const name of other.filter((one) => one !== "build" && one !== "run")) {
    findings.warn(`${program}/${name}`, "taken along with the validator, although it is no source of it");
  }
  const taken = files.filter((name) => !NOTE.test(name));
  return {
    language,
    entryPoint,
    files: taken.flatMap((name) => {
      const file = tree.files.get(`${program}/${name}`);
      return file === undefined ? [] : [{ name, file }];
    }),
  };
}
