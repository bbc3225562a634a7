/** An element of an XML file, as far as descriptions of problems need it: text between elements is left out. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
  /** From 1. */
  readonly line: number;
}

/** Not well-formed, or something that a description of data has no need of (a DOCTYPE could name files or explode). */
export class XmlMistake extends Error {
  readonly line: number;
  constructor(message: string, line: number) {
    super(message);
    this.name = "XmlMistake";
    this.line = line;
  }
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const DEEPEST = 64;
const TAG = /<(\/?)([A-Za-z_][\w.:-]*)((?:\s+[\w.:-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/y;
const ATTRIBUTE = /([\w.:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

const decode = (text: string): string =>
  text.replaceAll(/&(#x?[0-9a-fA-F]+|\w+);/g, (whole, name: string) => {
    if (!name.startsWith("#")) return ENTITIES[name] ?? whole;
    const code = name.startsWith("#x") ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    return Number.isInteger(code) && code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });

interface Open {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlElement[];
  text: string;
  readonly line: number;
}

/** The root element. Throws XmlMistake. */
export function parseXml(source: string): XmlElement {
  const lineAt = (at: number): number => source.slice(0, at).split("\n").length;
  const open: Open[] = [];
  let root: XmlElement | undefined;
  for (let at = source.startsWith("\uFEFF") ? 1 : 0; at < source.length;) {
    const next = source.indexOf("<", at);
    const text = source.slice(at, next < 0 ? source.length : next);
    const inner = open.at(-1);
    if (inner !== undefined) inner.text += decode(text);
    else if (text.trim() !== "") throw new XmlMistake("text outside of the root element", lineAt(at));
    if (next < 0) break;
    at = next;
    const skipped = skip(source, at);
    if (skipped !== undefined) {
      if (skipped < 0) throw new XmlMistake("a comment or declaration has no end", lineAt(at));
      at = skipped;
      continue;
    }
    TAG.lastIndex = at;
    const tag = TAG.exec(source);
    if (tag === null) throw new XmlMistake("this is no tag", lineAt(at));
    const [whole, closing, name = "", given = "", empty] = tag;
    if (closing === "/") {
      const ended = open.pop();
      if (ended?.name !== name) throw new XmlMistake(`</${name}> ends nothing that is open`, lineAt(at));
      if (open.length === 0) root = ended;
    } else {
      if (root !== undefined) throw new XmlMistake("there is a second root element", lineAt(at));
      if (open.length === DEEPEST) throw new XmlMistake(`more than ${DEEPEST} elements deep`, lineAt(at));
      const attributes = Object.fromEntries(
        [...given.matchAll(ATTRIBUTE)].map(([, key = "", double, single]) => [
          key,
          decode(double ?? single ?? ""),
        ]),
      );
      const element: Open = { name, attributes, children: [], text: "", line: lineAt(at) };
      open.at(-1)?.children.push(element);
      if (empty !== "/") open.push(element);
      else if (open.length === 0) root = element;
    }
    at += whole.length;
  }
  const left = open.at(-1);
  if (left !== undefined) throw new XmlMistake(`<${left.name}> has no end`, left.line);
  if (root === undefined) throw new XmlMistake("there is no element", 1);
  return root;
}

/** The place after a comment, declaration or CDATA that begins here; -1 when it has no end; undefined for a tag. */
function skip(source: string, at: number): number | undefined {
  const after = (end: string): number => {
    const found = source.indexOf(end, at);
    return found < 0 ? -1 : found + end.length;
  };
  if (source.startsWith("<!--", at)) return after("-->");
  if (source.startsWith("<?", at)) return after("?>");
  return source.startsWith("<![CDATA[", at) ? after("]]>") : undefined;
}

/** Elements at the end of a path of names below `element`. */
export const elementsAt = (element: XmlElement, ...path: readonly string[]): readonly XmlElement[] =>
  path.reduce<readonly XmlElement[]>(
    (found, name) => found.flatMap(({ children }) => children.filter((child) => child.name === name)),
    [element],
  );
