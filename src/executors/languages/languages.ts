import type { LanguageId } from "../../shared/language.ts";
import { c } from "./c.ts";
import { cpp } from "./cpp.ts";
import { go } from "./go.ts";
import { java } from "./java.ts";
import { javascript } from "./javascript.ts";
import type { LanguageDefinition } from "./language.ts";
import { python } from "./python.ts";
import { rust } from "./rust.ts";

/** Every language that an executor knows; what it offers is what passes the self-test. */
export const LANGUAGE_DEFINITIONS: Readonly<Record<LanguageId, LanguageDefinition>> = {
  c,
  cpp,
  python,
  java,
  go,
  rust,
  javascript,
};
