/**
 * Glob patterns of submissions.yaml: `*` within one name, `{a,b}` for alternatives, spaces around which do not count;
 * no `**`, no `[…]`.
 * A pattern matches a path when it matches the path itself or a folder above it.
 */
export function globMatches(pattern: string, path: string): boolean {
  let depth = 0;
  let source = "";
  const plain = pattern
    .replace(/\/$/, "")
    .replaceAll(/\{[^{}]*\}/g, (braces) => braces.replaceAll(/(?<=[{,])\s+|\s+(?=[,}])/g, ""));
  for (const c of plain) {
    if (c === "*") source += "[^/]*";
    else if (c === "{") {
      depth += 1;
      source += "(?:";
    } else if (c === "}" && depth > 0) {
      depth -= 1;
      source += ")";
    } else if (c === "," && depth > 0) source += "|";
    else source += c.replaceAll(/[.+?^$()[\]{}|\\]/g, String.raw`\$&`);
  }
  // An unclosed brace is no pattern that the format knows; it matches nothing.
  return depth === 0 && new RegExp(`^${source}(?:/.*)?$`).test(path);
}
