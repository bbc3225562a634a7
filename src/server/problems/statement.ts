import type { Findings } from "./finding.ts";
import type { PackageSettings } from "./settings.ts";
import { namesIn, type PackageTree, readText } from "./tree.ts";

const STATEMENT = /^problem(?:\.([a-z]{2,3}(?:-[A-Z]{2})?))?\.(tex|md|pdf)$/;

/** Names stand in lists and headings. */
const LONGEST_NAME = 200;

/** `\problemname{…}` with its braces balanced, or the plain name that the legacy format allows as a comment. */
function nameInTex(text: string): string | undefined {
  const plain = /^%%\s*plainproblemname:(.*)$/m.exec(text)?.[1]?.trim();
  if (plain !== undefined && plain !== "") return plain;
  const start = /\\problemname\s*\{/.exec(text);
  if (start === null) return undefined;
  let depth = 1;
  const from = start.index + start[0].length;
  for (let at = from; at < text.length; at++) {
    const c = text.charAt(at);
    if (c === "\\") at += 1;
    else if (c === "{") depth += 1;
    else if (c === "}") depth -= 1;
    if (depth === 0) {
      const name = text.slice(from, at).replaceAll(/\s+/g, " ").trim();
      return name === "" ? undefined : name;
    }
  }
  return undefined;
}

/**
 * The problem's name to show: English where there is one. From problem.yaml, else (legacy) from the statements, else
 * the problem's id.
 */
export async function readName(
  deps: { tree: PackageTree; findings: Findings; settings: PackageSettings },
  fallback: string,
): Promise<string> {
  const { tree, findings, settings } = deps;
  const legacy = settings.layout === "legacy";
  const folders = legacy ? ["problem_statement"] : ["statement", "problem_statement"];
  const folder = folders.find((one) => namesIn(tree, one).files.some((name) => STATEMENT.test(name)));
  const statements = (folder === undefined ? [] : namesIn(tree, folder).files).flatMap((name) => {
    const match = STATEMENT.exec(name);
    return match === null ? [] : [{ name, language: match[1] ?? "en", tex: match[2] === "tex" }];
  });
  if (statements.length === 0) {
    findings.warn(folders[0] ?? "", "there is no problem statement", {
      expected: "problem.en.tex, .md or .pdf",
    });
  }
  const names = new Map(settings.names);
  if (!legacy) {
    if (settings.yaml.value("name") === undefined) {
      findings.error("problem.yaml", "name is missing", { expected: "name: the problem's name" });
    }
    for (const { name, language } of statements.filter((one) => !names.has(one.language))) {
      findings.warn("problem.yaml", `no name in the language of ${name}`, {
        line: settings.yaml.lineOf("name"),
        expected: `name.${language}`,
      });
    }
  }
  for (const { name, language } of statements.filter((one) => one.tex && !names.has(one.language))) {
    const found = nameInTex((await readText(tree, `${folder}/${name}`, findings)) ?? "");
    if (found !== undefined) names.set(language, found);
  }
  const [anyName] = names.values();
  const chosen = names.get("") ?? names.get("en") ?? anyName ?? fallback;
  const name = chosen.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
  if (name.length > LONGEST_NAME) {
    findings.error("problem.yaml", `the name has ${name.length} characters`, {
      line: settings.yaml.lineOf("name"),
      expected: `at most ${LONGEST_NAME}`,
    });
  }
  return name === "" ? fallback : name;
}
