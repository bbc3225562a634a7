import type { LanguageId } from "../../shared/language.ts";

/**
 * What a language's runtime says when it could not get memory and ends the program for it, as the last thing in its
 * error output. The control group sees nothing of that: what is asked for at once and refused was never used. A
 * program that says so itself gets what it asks for: one failure in place of another.
 */
const CPP = /^terminate called after throwing an instance of 'std::bad_(alloc|array_new_length)'/m;
/** A thread that could not be made is the limit of processes, which Java calls by the same name. */
const JVM =
  /^(Exception in thread .*|Caused by: )?java\.lang\.OutOfMemoryError\b(?!: unable to create native thread)|^Terminating due to java\.lang\.OutOfMemoryError/m;
const PYTHON = /^MemoryError\b/m;
const V8 =
  /^(<--- Last few GCs --->|FATAL ERROR: .*(out of memory|Allocation failed)|(Uncaught )?RangeError: Array buffer allocation failed)/m;

const WORDS: Readonly<Partial<Record<LanguageId, RegExp>>> = {
  cpp: CPP,
  cpp17: CPP,
  cpp23: CPP,
  java: JVM,
  kotlin: JVM,
  python: PYTHON,
  pypy: PYTHON,
  javascript: V8,
  typescript: V8,
  go: /^(fatal error: )?runtime: (out of memory|cannot allocate memory|VirtualAlloc)|^fatal error: (out of memory|runtime: out of memory)/m,
  rust: /^memory allocation of \d+ bytes failed$/m,
  csharp: /^(Out of memory\.|Unhandled exception\. System\.OutOfMemoryException)/m,
  ruby: /\(NoMemoryError\)|^\[FATAL\] failed to allocate memory/m,
  php: /Allowed memory size of \d+ bytes exhausted|^PHP Fatal error: +Out of memory/m,
  perl: /^Out of memory( in perl:|!)|^panic: (memory wrap|string extend)/m,
  lua: /not enough memory$/m,
  haskell: /: (Heap exhausted|heap overflow)|^[^:\n]+: memory allocation failed/m,
  ocaml: /^Fatal error: (exception (Stdlib\.)?Out_of_memory|out of memory)/m,
  pascal: /^Runtime error 203\b/m,
  bash: /: (xmalloc|xrealloc|malloc): .*cannot allocate \d+ bytes/m,
};

/** `errorOutput`: its end is enough. */
export const ranOutOfMemory = (language: LanguageId, errorOutput: string): boolean =>
  WORDS[language]?.test(errorOutput) === true;
