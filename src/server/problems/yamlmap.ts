import { isAlias, isMap, isScalar, LineCounter, parseDocument, type YAMLMap } from "yaml";
import type { Findings } from "./finding.ts";
import { type PackageTree, readText } from "./tree.ts";

/** A YAML mapping that knows where its keys stand. */
export interface YamlMap {
  readonly file: string;
  /** Before each key in messages, e.g. "limits.". */
  readonly prefix: string;
  readonly keys: readonly string[];
  /** The value as plain JavaScript; undefined for a missing key and for an explicit null. */
  value(key: string): unknown;
  lineOf(key: string): number | undefined;
  /** The mapping under `key`; undefined when it is missing or something else. */
  map(key: string): YamlMap | undefined;
}

const EMPTY = { keys: [], value: () => undefined, lineOf: () => undefined, map: () => undefined };

/** Aliases that may be followed: enough for real files, too few for a "billion laughs". */
const MOST_ALIASES = 50;

/** Parses a YAML 1.2 file. A missing or empty one is an empty mapping; mistakes become findings. */
export async function readYamlMap(tree: PackageTree, file: string, findings: Findings): Promise<YamlMap> {
  const nothing: YamlMap = { file, prefix: "", ...EMPTY };
  const text = await readText(tree, file, findings);
  if (text === undefined) return nothing;
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  for (const error of document.errors) {
    findings.error(file, `not valid YAML: ${error.message}`, { line: lines.linePos(error.pos[0]).line });
  }
  if (document.errors.length > 0 || document.contents === null) return nothing;
  if (isScalar(document.contents) && document.contents.value === null) return nothing;
  const wrap = (map: YAMLMap, prefix: string): YamlMap => {
    const pairs = new Map(map.items.map((pair) => [isScalar(pair.key) ? String(pair.key.value) : "?", pair]));
    const nodeOf = (key: string): unknown => {
      const node = pairs.get(key)?.value;
      return isAlias(node) ? node.resolve(document) : node;
    };
    return {
      file,
      prefix,
      keys: [...pairs.keys()],
      value(key) {
        const node = nodeOf(key);
        if (isScalar(node)) return node.value ?? undefined;
        if (typeof node !== "object" || node === null || !("toJS" in node)) return undefined;
        try {
          return (node as YAMLMap).toJS(document, { maxAliasCount: MOST_ALIASES });
        } catch {
          findings.error(file, `${prefix}${key}: too many aliases`, { expected: `at most ${MOST_ALIASES}` });
          return undefined;
        }
      },
      lineOf(key) {
        const node = pairs.get(key)?.key;
        const range = isScalar(node) ? node.range : undefined;
        return range === undefined || range === null ? undefined : lines.linePos(range[0]).line;
      },
      map(key) {
        const node = nodeOf(key);
        return isMap(node) ? wrap(node, `${prefix}${key}.`) : undefined;
      },
    };
  };
  if (!isMap(document.contents)) {
    findings.error(file, "the file is not a mapping of keys to values", { line: 1, expected: "key: value" });
    return nothing;
  }
  return wrap(document.contents, "");
}

/** Warns about keys that this version of the format does not have. */
export function warnUnknownKeys(map: YamlMap, known: readonly string[], findings: Findings): void {
  for (const key of map.keys) {
    if (!known.includes(key)) {
      findings.warn(map.file, `unknown key ${map.prefix}${key}, ignored`, {
        line: map.lineOf(key),
        expected: `one of ${known.join(", ")}`,
      });
    }
  }
}

function mismatch(
  map: YamlMap,
  key: string,
  value: unknown,
  expected: string,
  findings: Findings,
): undefined {
  findings.error(map.file, `${map.prefix}${key} is ${JSON.stringify(value)}`, {
    line: map.lineOf(key),
    expected,
  });
  return undefined;
}

/** A number above 0; with `integer`, a whole one. */
export function positiveNumber(
  map: YamlMap,
  key: string,
  rule: { unit: string; most: number; integer?: boolean },
  findings: Findings,
): number | undefined {
  const value = map.value(key);
  if (value === undefined) return undefined;
  const fits =
    typeof value === "number" &&
    Number.isFinite(value) &&
    value > 0 &&
    value <= rule.most &&
    (rule.integer !== true || Number.isInteger(value));
  if (fits) return value;
  const kind = rule.integer === true ? "a whole number" : "a number";
  return mismatch(map, key, value, `${kind} of ${rule.unit}, above 0 and at most ${rule.most}`, findings);
}

export function textValue(map: YamlMap, key: string, findings: Findings): string | undefined {
  const value = map.value(key);
  if (value === undefined || typeof value === "string") return value;
  return mismatch(map, key, value, "a string", findings);
}

/** A string split at white space, as the legacy layout writes arguments. */
export function flagsValue(map: YamlMap, key: string, findings: Findings): string[] | undefined {
  const value = map.value(key);
  if (value === undefined) return undefined;
  if (typeof value !== "string" && typeof value !== "number") {
    return mismatch(map, key, value, "arguments in one string", findings);
  }
  return String(value)
    .split(/\s+/)
    .filter((flag) => flag !== "");
}

/** A sequence of strings, as the 2025-09 layout writes arguments. Plain numbers are taken as written. */
export function argumentsValue(map: YamlMap, key: string, findings: Findings): string[] | undefined {
  const value = map.value(key);
  if (value === undefined) return undefined;
  if (!Array.isArray(value) || value.some((one) => typeof one !== "string" && typeof one !== "number")) {
    return mismatch(map, key, value, "a sequence of strings", findings);
  }
  return value.map(String);
}
