import { globSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { type EcmaScriptModule, parseSync, type Program, Visitor } from "oxc-parser";

/** An import, re-export or dynamic import, as written in a file. */
export interface Reference {
  /** As written, e.g. "../store/store.ts", "mongodb" or "node:fs". */
  readonly specifier: string;
  /** File of ours (path from the top of the tree) that a relative specifier means. */
  readonly file?: string;
  /** Package that a bare specifier means, e.g. "@pothos/core"; "node:fs" for Node's own. */
  readonly package?: string;
  /** True when it is gone once the types are stripped. */
  readonly typeOnly: boolean;
}

/** What the architecture rules know of one file in TypeScript or JavaScript. */
export interface Source {
  /** Path from the top of the tree, with slashes. */
  readonly path: string;
  readonly lines: number;
  readonly references: readonly Reference[];
  /** Comments without their marks. */
  readonly comments: readonly string[];
  /** The text with what stands in comments and strings blanked out. */
  readonly code: string;
  /** True when the file holds nothing but exports of other files. */
  readonly reexportsOnly: boolean;
}

const packageOf = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

function reference(from: string, specifier: string, typeOnly: boolean): Reference {
  if (specifier.startsWith(".")) {
    return { specifier, typeOnly, file: posix.join(posix.dirname(from), specifier) };
  }
  return {
    specifier,
    typeOnly,
    package: specifier.startsWith("node:") ? specifier : packageOf(specifier),
  };
}

function referencesOf(path: string, text: string, module: EcmaScriptModule): Reference[] {
  const found: Reference[] = [];
  for (const { moduleRequest, entries } of module.staticImports) {
    const typeOnly = entries.length > 0 && entries.every((entry) => entry.isType);
    found.push(reference(path, moduleRequest.value, typeOnly));
  }
  for (const { entries } of module.staticExports) {
    const [first] = entries;
    if (first?.moduleRequest) {
      found.push(
        reference(
          path,
          first.moduleRequest.value,
          entries.every((entry) => entry.isType),
        ),
      );
    }
  }
  for (const { moduleRequest } of module.dynamicImports) {
    const written = text.slice(moduleRequest.start, moduleRequest.end);
    if (/^["'][^"']+["']$/.test(written)) found.push(reference(path, written.slice(1, -1), false));
  }
  return found;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

function stringsOf(program: Program): Span[] {
  const found: Span[] = [];
  new Visitor({
    Literal: (node) => {
      if (typeof node.value === "string" || "regex" in node) found.push(node);
    },
    TemplateElement: (node) => {
      found.push(node);
    },
  }).visit(program);
  return found;
}

function blanked(text: string, spans: readonly Span[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const { start, end } of spans.toSorted((a, b) => a.start - b.start)) {
    parts.push(text.slice(at, start), " ".repeat(Math.max(0, end - start)));
    at = end;
  }
  return [...parts, text.slice(at)].join("");
}

/** Reads one file's text. Throws a SyntaxError for what does not parse. */
export function parseSource(path: string, text: string): Source {
  const { program, module, comments, errors } = parseSync(path, text);
  const [problem] = errors;
  if (problem) throw new SyntaxError(`${path}: ${problem.message}`);
  return {
    path,
    lines: text.split("\n").length - (text.endsWith("\n") ? 1 : 0),
    references: referencesOf(path, text, module),
    comments: comments.map((comment) => comment.value),
    code: blanked(text, [...comments, ...stringsOf(program)]),
    reexportsOnly:
      program.body.length > 0 &&
      program.body.every(
        (statement) =>
          statement.type === "ExportAllDeclaration" ||
          (statement.type === "ExportNamedDeclaration" && statement.source !== null),
      ),
  };
}

/** Every file of ours in TypeScript or JavaScript below `root`; what is generated is left out. */
export function readSources(root: string): Source[] {
  return globSync(["*.ts", "{src,test,bench,fuzz,setup}/**/*.{ts,tsx,js,mjs}"], {
    cwd: root,
    exclude: ["src/cli/generated/**"],
  })
    .toSorted()
    .map((path) => parseSource(path, readFileSync(posix.join(root, path), "utf8")));
}
