/** One thing that an import has to say about a package. An error refuses the package, a warning does not. */
export interface Finding {
  readonly severity: "error" | "warning";
  /** Path in the package, or "" for the archive as a whole. */
  readonly file: string;
  /** From 1. */
  readonly line?: number;
  readonly message: string;
  /** What would have been right. */
  readonly expected?: string;
}

/** Takes findings as they are met, so that one import names all of them. */
export interface Findings {
  readonly all: readonly Finding[];
  error(file: string, message: string, more?: { line?: number | undefined; expected?: string }): void;
  warn(file: string, message: string, more?: { line?: number | undefined; expected?: string }): void;
  /** True once an error was reported. */
  refused(): boolean;
}

/** More than this many say nothing new; one closing finding tells how many were left out. */
const MOST_FINDINGS = 200;

export function createFindings(): Findings {
  const all: Finding[] = [];
  let errors = 0;
  const add = (
    severity: Finding["severity"],
    file: string,
    message: string,
    more: { line?: number | undefined; expected?: string } = {},
  ): void => {
    if (severity === "error") errors += 1;
    if (all.length >= MOST_FINDINGS) {
      if (all.length === MOST_FINDINGS) {
        all.push({
          severity: "error",
          file: "",
          message: `more than ${MOST_FINDINGS} findings; the rest is not listed`,
        });
      }
      return;
    }
    all.push({
      severity,
      file,
      message,
      ...(more.line === undefined ? {} : { line: more.line }),
      ...(more.expected === undefined ? {} : { expected: more.expected }),
    });
  };
  return {
    all,
    error: (file, message, more) => add("error", file, message, more),
    warn: (file, message, more) => add("warning", file, message, more),
    refused: () => errors > 0,
  };
}
