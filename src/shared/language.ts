import { z } from "zod";

/** What a problem or a language may need of the machine. */
export const Resource = z.enum(["gpu"]);
export type Resource = z.infer<typeof Resource>;

/**
 * What both sides must know about a language. How it is compiled and run is the executors' business
 * (src/executors/languages).
 */
export interface LanguageInfo {
  readonly id: LanguageId;
  readonly name: string;
  /** File endings without the dot; the first is the default for a single source. */
  readonly extensions: readonly [string, ...string[]];
  /** File name given to a single source that has none. */
  readonly defaultFile: string;
  /** What its programs need besides a processor: only executors that have proved to have it take them. */
  readonly resource?: Resource;
}

/**
 * In the order in which they are listed. Of those with the same file ending the first is what a file by itself is
 * taken for. Each standard of C++ is a language of its own; `cpp` is the default one.
 */
export const LanguageId = z.enum([
  "c",
  "cpp",
  "cpp17",
  "cpp23",
  "python",
  "pypy",
  "python-gpu",
  "java",
  "kotlin",
  "csharp",
  "go",
  "rust",
  "javascript",
  "typescript",
  "ruby",
  "php",
  "perl",
  "lua",
  "bash",
  "haskell",
  "ocaml",
  "pascal",
  "text",
]);
export type LanguageId = z.infer<typeof LanguageId>;

const CPP: LanguageInfo["extensions"] = ["cpp", "cc", "cxx", "c++", "C"];

const info = (
  id: LanguageId,
  name: string,
  extensions: LanguageInfo["extensions"],
  defaultFile = `main.${extensions[0]}`,
): LanguageInfo => ({ id, name, extensions, defaultFile });

export const LANGUAGES: Readonly<Record<LanguageId, LanguageInfo>> = {
  c: info("c", "C", ["c"]),
  cpp: info("cpp", "C++20", CPP),
  cpp17: info("cpp17", "C++17", CPP),
  cpp23: info("cpp23", "C++23", CPP),
  python: info("python", "Python 3", ["py", "py3"]),
  pypy: info("pypy", "Python 3 (PyPy)", ["py", "py3"]),
  "python-gpu": { ...info("python-gpu", "Python 3 (GPU)", ["py", "py3"]), resource: "gpu" },
  java: info("java", "Java", ["java"], "Main.java"),
  kotlin: info("kotlin", "Kotlin", ["kt"], "Main.kt"),
  csharp: info("csharp", "C#", ["cs"]),
  go: info("go", "Go", ["go"]),
  rust: info("rust", "Rust", ["rs"]),
  javascript: info("javascript", "JavaScript", ["js", "mjs", "cjs"]),
  typescript: info("typescript", "TypeScript", ["ts", "mts", "cts"]),
  ruby: info("ruby", "Ruby", ["rb"]),
  php: info("php", "PHP", ["php"]),
  perl: info("perl", "Perl", ["pl"]),
  lua: info("lua", "Lua", ["lua"]),
  bash: info("bash", "Bash", ["sh", "bash"]),
  haskell: info("haskell", "Haskell", ["hs"], "Main.hs"),
  ocaml: info("ocaml", "OCaml", ["ml"]),
  pascal: info("pascal", "Pascal", ["pas", "pp", "dpr"]),
  /** What is handed in is the answer itself: of problems of type submit-answer, a file for each test. */
  text: info("text", "Answers", ["out", "ans"], "answer.out"),
};

export const LANGUAGE_IDS: readonly LanguageId[] = LanguageId.options;

/** Other names for them: the problem package format's, and the standard that `cpp` stands for. */
const ALIASES: Readonly<Record<string, LanguageId>> = {
  cpp20: "cpp",
  python3: "python",
  pypy3: "pypy",
  nodejs: "javascript",
};

/** The language that somebody names; undefined when there is none of that name. */
export function languageNamed(name: string): LanguageId | undefined {
  const known = LanguageId.safeParse(name);
  return known.success ? known.data : Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined;
}

/** Languages that are another one to a problem package: its codes for both are the same. */
const FAMILIES: Readonly<Partial<Record<LanguageId, LanguageId>>> = {
  cpp17: "cpp",
  cpp23: "cpp",
  pypy: "python",
  "python-gpu": "python",
};

/** The language whose sources this one takes. */
export const familyOf = (id: LanguageId): LanguageId => FAMILIES[id] ?? id;

/** The language in which a program is run where a resource is needed: its own, or its variant. Undefined: it has none. */
export function variantFor(id: LanguageId, resource: Resource): LanguageId | undefined {
  return LANGUAGES[id].resource === resource
    ? id
    : LANGUAGE_IDS.find((other) => LANGUAGES[other].resource === resource && familyOf(other) === id);
}

/** How an executor's reason for not offering a language begins when nothing of it is there; else it is broken. */
export const NOT_INSTALLED = "not installed";

/** The language whose file ending `fileName` has, or undefined. */
export function languageOfFile(fileName: string): LanguageId | undefined {
  const ending = fileName.slice(fileName.lastIndexOf(".") + 1);
  return LANGUAGE_IDS.find((id) => LANGUAGES[id].extensions.includes(ending));
}
