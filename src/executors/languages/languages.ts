import type { LanguageId } from "../../shared/language.ts";
import { bash } from "./bash.ts";
import { c } from "./c.ts";
import { cpp, cpp17, cpp23 } from "./cpp.ts";
import { csharp } from "./csharp.ts";
import { go } from "./go.ts";
import { haskell } from "./haskell.ts";
import { java } from "./java.ts";
import { javascript } from "./javascript.ts";
import { kotlin } from "./kotlin.ts";
import type { LanguageDefinition } from "./language.ts";
import { lua } from "./lua.ts";
import { ocaml } from "./ocaml.ts";
import { pascal } from "./pascal.ts";
import { perl } from "./perl.ts";
import { php } from "./php.ts";
import { pypy } from "./pypy.ts";
import { python } from "./python.ts";
import { pythonGpu } from "./pythongpu.ts";
import { ruby } from "./ruby.ts";
import { rust } from "./rust.ts";
import { text } from "./text.ts";
import { typescript } from "./typescript.ts";

/** Every language that an executor knows; what it offers is what passes the self-test. */
export const LANGUAGE_DEFINITIONS: Readonly<Record<LanguageId, LanguageDefinition>> = {
  c,
  cpp,
  cpp17,
  cpp23,
  python,
  pypy,
  "python-gpu": pythonGpu,
  java,
  kotlin,
  csharp,
  go,
  rust,
  javascript,
  typescript,
  ruby,
  php,
  perl,
  lua,
  bash,
  haskell,
  ocaml,
  pascal,
  text,
};
