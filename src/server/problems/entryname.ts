/**
 * What a name in an archive means. The format (General requirements) allows only simple names and asks to behave as
 * if everything else was not there; names that try to leave the package are an attack or an accident and refuse it.
 */
export type EntryName =
  | { readonly type: "path"; readonly path: string }
  /** `silent`: hidden files of version control and operating systems, not worth a word. */
  | { readonly type: "ignored"; readonly silent: boolean }
  | { readonly type: "refused"; readonly why: string };

const SEGMENT = /^[a-zA-Z0-9_][a-zA-Z0-9_.+-]{0,254}$/;
const LONGEST = 1024;

/** Control characters, shown as such so that a message stays one readable line. */
export const printable = (name: string): string =>
  name.replaceAll(/\p{Cc}/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);

const isHidden = (segment: string): boolean =>
  (segment.startsWith(".") && segment !== ".timelimit") || segment.startsWith("-") || segment === "__MACOSX";

export function readEntryName(name: string): EntryName {
  if (name.length > LONGEST) return { type: "refused", why: `the name has more than ${LONGEST} characters` };
  if (name.includes("\0")) return { type: "refused", why: "the name contains a NUL character" };
  if (name.startsWith("/") || /^[a-zA-Z]:/.test(name))
    return { type: "refused", why: "the name is absolute" };
  if (name.includes("\\")) return { type: "refused", why: "the name contains a backslash" };
  const segments = name.split("/").filter((segment) => segment !== "" && segment !== ".");
  if (segments.includes("..")) return { type: "refused", why: "the name leads out of the package" };
  if (segments.length === 0) return { type: "ignored", silent: true };
  if (segments.some(isHidden)) return { type: "ignored", silent: true };
  if (segments.some((segment) => segment !== ".timelimit" && !SEGMENT.test(segment))) {
    return { type: "ignored", silent: false };
  }
  return { type: "path", path: segments.join("/") };
}
