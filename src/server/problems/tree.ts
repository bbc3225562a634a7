import { readFile } from "node:fs/promises";
import type { Findings } from "./finding.ts";
import { readHead, type UnpackedFile } from "./unpack.ts";

/** The files of one package, by path below the directory that holds problem.yaml. */
export interface PackageTree {
  /** Name of that directory; undefined when the archive's own top level is the package. */
  readonly directory: string | undefined;
  readonly files: ReadonlyMap<string, UnpackedFile>;
}

/** Names directly below `folder`, sorted as the format sorts tests: by bytes. */
export function namesIn(tree: PackageTree, folder: string): { files: string[]; folders: string[] } {
  const prefix = folder === "" ? "" : `${folder}/`;
  const files = new Set<string>();
  const folders = new Set<string>();
  for (const path of tree.files.keys()) {
    if (!path.startsWith(prefix)) continue;
    const rest = path.slice(prefix.length);
    const slash = rest.indexOf("/");
    if (slash < 0) files.add(rest);
    else folders.add(rest.slice(0, slash));
  }
  // All names are ASCII (entryname.ts), so UTF-16 order is byte order.
  return { files: [...files].toSorted(), folders: [...folders].toSorted() };
}

/** What makes a folder a package: of the Kattis/ICPC format, or of Codeforces Polygon. */
const ROOT_FILE = /^(?:([^/]+)\/)?problem\.(?:yaml|xml)$/;

/**
 * Finds problem.yaml or problem.xml, at the top level or in the one directory there is. Undefined, with a finding,
 * without one.
 */
export function findPackage(
  unpacked: ReadonlyMap<string, UnpackedFile>,
  findings: Findings,
): PackageTree | undefined {
  const directories = [...unpacked.keys()].flatMap((path) => {
    const match = ROOT_FILE.exec(path);
    return match === null ? [] : [match[1]];
  });
  if (directories.includes(undefined)) return { directory: undefined, files: unpacked };
  const roots = [...new Set(directories)];
  const [only] = roots;
  if (roots.length > 1) {
    findings.error("", `the archive holds ${roots.length} problem packages: ${roots.join(", ")}`, {
      expected: "one package an archive",
    });
    return undefined;
  }
  if (only === undefined) {
    findings.error("problem.yaml", "there is no problem.yaml", {
      expected: "problem.yaml (or Polygon's problem.xml) at the archive's top level or in its one directory",
    });
    return undefined;
  }
  const directory = only;
  const files = new Map<string, UnpackedFile>();
  for (const [path, file] of unpacked) {
    const inside = path.slice(directory.length + 1);
    if (path.startsWith(`${directory}/`)) files.set(inside, { ...file, path: inside });
    else findings.warn(path, `ignored: not inside ${directory}/`);
  }
  return { directory, files };
}

const LARGEST_TEXT = 1024 * 1024;

/** A text file as UTF-8 without a byte-order mark; undefined, with a finding, when it is not that. */
export async function readText(
  tree: PackageTree,
  path: string,
  findings: Findings,
): Promise<string | undefined> {
  const file = tree.files.get(path);
  if (file === undefined) return undefined;
  if (file.sizeBytes > LARGEST_TEXT) {
    findings.error(path, `the file has ${file.sizeBytes} bytes`, { expected: `at most ${LARGEST_TEXT}` });
    return undefined;
  }
  const bytes = await readFile(file.disk);
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    if (!text.startsWith("\uFEFF")) return text;
    findings.warn(path, "the file starts with a byte-order mark", { line: 1, expected: "UTF-8 without one" });
    return text.slice(1);
  } catch {
    findings.error(path, "the file is not UTF-8", { line: lineOfBadUtf8(bytes), expected: "UTF-8" });
    return undefined;
  }
}

/** Whether the file starts with a UTF-16 or UTF-8 byte-order mark, which programs would read as data. */
export async function hasByteOrderMark(file: UnpackedFile): Promise<boolean> {
  const head = (await readHead(file, 3)).toString("latin1");
  return (
    head.startsWith("\u00EF\u00BB\u00BF") ||
    head.startsWith("\u00FF\u00FE") ||
    head.startsWith("\u00FE\u00FF")
  );
}

function lineOfBadUtf8(bytes: Buffer): number {
  let line = 1;
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(0x0a, start);
    const piece = bytes.subarray(start, end < 0 ? bytes.length : end);
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(piece);
    } catch {
      return line;
    }
    if (end < 0) return line;
    start = end + 1;
    line += 1;
  }
}
