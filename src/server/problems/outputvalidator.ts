import type { LanguageId } from "../../shared/language.ts";
import { LANGUAGES, languageOfFile } from "../../shared/language.ts";
import type { Findings } from "./finding.ts";
import type { PackageSettings } from "./settings.ts";
import { namesIn, type PackageTree } from "./tree.ts";
import type { UnpackedFile } from "./unpack.ts";

/** The package's own output validator as a program: sources of one language, or scripts that build and run it. */
export interface ValidatorProgram {
  /** "script": its `build` is run in place of a compiler, and its `run` is the program. */
  readonly language: LanguageId | "script";
  readonly files: readonly { readonly name: string; readonly file: UnpackedFile }[];
  readonly entryPoint: string | undefined;
}

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

const isScripted = (files: readonly string[]): boolean => files.includes("build") || files.includes("run");

/** The folder whose files are the program: `folder` itself or its one directory. */
function programFolder(tree: PackageTree, folder: string, findings: Findings): string | undefined {
  const { files, folders } = namesIn(tree, folder);
  if (isScripted(files)) return folder;
  const programs = files.filter((name) => !NOTE.test(name) && !HEADER.test(name));
  const [only] = folders;
  // A folder beside sources belongs to them.
  if (only === undefined || files.some((name) => languageOfFile(name) !== undefined)) return folder;
  if (folders.length > 1 || programs.length > 0) {
    const names = [...folders, ...programs].join(", ");
    findings.error(folder, `several output validators are not supported yet: ${names}`, {
      expected: "one program: a file or one directory",
    });
    return undefined;
  }
  return `${folder}/${only}`;
}

/** All files below a folder, by their path in it. */
function filesBelow(tree: PackageTree, folder: string): ValidatorProgram["files"] {
  return [...tree.files]
    .filter(([path]) => path.startsWith(`${folder}/`))
    .map(([path, file]) => ({ name: path.slice(folder.length + 1), file }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** Languages whose programs of several files have to say which one starts. */
const STARTED: ReadonlySet<LanguageId> = new Set([
  "python",
  "pypy",
  "ruby",
  "php",
  "perl",
  "lua",
  "bash",
  "javascript",
]);

/** The script that starts a validator of several; undefined when that is not clear. */
function entryPointOf(language: LanguageId, names: readonly string[]): string | undefined {
  const scripts = names.filter((name) => languageOfFile(name) === language);
  if (scripts.length === 1) return scripts[0];
  return ["__main__.py", LANGUAGES[language].defaultFile].find((name) => scripts.includes(name));
}

/** The language of all sources together; undefined, with a finding, when there is none. */
function languageOf(program: string, names: readonly string[], findings: Findings): LanguageId | undefined {
  const languages = new Set(names.map((name) => languageOfFile(name)).filter((one) => one !== undefined));
  // C beside C++ is one C++ program, as compilers of the format take it.
  if (languages.has("cpp")) languages.delete("c");
  const [language] = languages;
  if (language === undefined) {
    findings.error(program, `the language of the output validator is not known: ${names.join(", ")}`, {
      expected: "sources of a language that Docket knows, or a build or run script",
    });
    return undefined;
  }
  if (languages.size === 1) return language;
  const mixed = [...languages].map(String).toSorted().join(", ");
  findings.error(program, `the output validator mixes languages: ${mixed}`, { expected: "one language" });
  return undefined;
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
  const all = filesBelow(tree, program);
  if (isScripted(all.map(({ name }) => name)))
    return { language: "script", files: all, entryPoint: undefined };
  const files = all.filter(({ name }) => !NOTE.test(name));
  const names = files.map(({ name }) => name);
  const language = languageOf(program, names, findings);
  if (language === undefined) return undefined;
  const entryPoint = STARTED.has(language) ? entryPointOf(language, names) : undefined;
  if (STARTED.has(language) && entryPoint === undefined) {
    findings.error(program, `which file starts the validator is not clear: ${names.join(", ")}`, {
      expected: `one script, or one called __main__.py or ${LANGUAGES[language].defaultFile}`,
    });
    return undefined;
  }
  for (const name of names.filter((one) => languageOfFile(one) === undefined && !HEADER.test(one))) {
    findings.warn(`${program}/${name}`, "taken along with the validator, although it is no source of it");
  }
  return { language, entryPoint, files };
}
