import { z } from "zod";

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
}

export const LanguageId = z.enum(["c", "cpp", "python", "java", "go", "rust", "javascript"]);
export type LanguageId = z.infer<typeof LanguageId>;

export const LANGUAGES: Readonly<Record<LanguageId, LanguageInfo>> = {
  c: { id: "c", name: "C", extensions: ["c"], defaultFile: "main.c" },
  cpp: { id: "cpp", name: "C++", extensions: ["cpp", "cc", "cxx", "c++", "C"], defaultFile: "main.cpp" },
  python: { id: "python", name: "Python 3", extensions: ["py", "py3"], defaultFile: "main.py" },
  java: { id: "java", name: "Java", extensions: ["java"], defaultFile: "Main.java" },
  go: { id: "go", name: "Go", extensions: ["go"], defaultFile: "main.go" },
  rust: { id: "rust", name: "Rust", extensions: ["rs"], defaultFile: "main.rs" },
  javascript: {
    id: "javascript",
    name: "JavaScript",
    extensions: ["js", "mjs", "cjs"],
    defaultFile: "main.js",
  },
};

export const LANGUAGE_IDS: readonly LanguageId[] = LanguageId.options;

/** How an executor's reason for not offering a language begins when nothing of it is there; else it is broken. */
export const NOT_INSTALLED = "not installed";

/** The language whose file ending `fileName` has, or undefined. */
export function languageOfFile(fileName: string): LanguageId | undefined {
  const ending = fileName.slice(fileName.lastIndexOf(".") + 1);
  return LANGUAGE_IDS.find((id) => LANGUAGES[id].extensions.includes(ending));
}
