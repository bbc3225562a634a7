import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { chmod, type FileHandle, mkdir, open, readdir } from "node:fs/promises";
import { join } from "node:path";

/** A compiler left more than a program may be. */
export class TooLarge extends Error {
  override readonly name = "TooLarge";
}

const MOST_FILES = 4_000;
const MOST_BYTES = 256 * 1024 * 1024;
const DEEPEST = 16;

export interface CopiedFile {
  /** Path below the tree's root. */
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

interface FoundFile {
  readonly name: string;
  readonly handle: FileHandle;
}

/**
 * Copies the regular files below `from`, which somebody else's program may have filled, to the new folder `to`: no
 * link is followed, nothing but files and folders is taken, and the copies belong to this process. Throws TooLarge.
 */
export async function copyTree(from: string, to: string): Promise<readonly CopiedFile[]> {
  await makeFolder(to);
  const copied: CopiedFile[] = [];
  let total = 0;
  for await (const { name, handle } of walk(from, "", async (folder) => await makeFolder(join(to, folder)))) {
    const { size, mode } = await handle.stat();
    total += size;
    if (total > MOST_BYTES) throw new TooLarge(`more than ${MOST_BYTES / 2 ** 20} MiB`);
    if (copied.length === MOST_FILES) throw new TooLarge(`more than ${MOST_FILES} files`);
    const bytes = await handle.readFile();
    const copy = await open(join(to, name), "wx");
    try {
      await copy.writeFile(bytes);
      await copy.chmod((mode & 0o111) === 0 ? 0o644 : 0o755);
    } finally {
      await copy.close();
    }
    copied.push(describe(name, bytes));
  }
  return copied;
}

/** The files below a folder of our own, in the order in which copyTree gives them. */
export async function hashTree(folder: string): Promise<readonly CopiedFile[]> {
  const files: CopiedFile[] = [];
  for await (const { name, handle } of walk(folder, "", async () => {})) {
    files.push(describe(name, await handle.readFile()));
  }
  return files;
}

const describe = (name: string, bytes: Buffer): CopiedFile => ({
  name,
  sizeBytes: bytes.length,
  sha256: createHash("sha256").update(bytes).digest("hex"),
});

async function makeFolder(path: string): Promise<void> {
  await mkdir(path);
  await chmod(path, 0o755);
}

async function* walk(
  root: string,
  below: string,
  enter: (folder: string) => Promise<void>,
  depth = 0,
): AsyncGenerator<FoundFile> {
  if (depth > DEEPEST) throw new TooLarge(`folders more than ${DEEPEST} deep`);
  const found = await readdir(join(root, below), { withFileTypes: true });
  for (const entry of found.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = join(below, entry.name);
    if (entry.isDirectory()) {
      await enter(name);
      yield* walk(root, name, enter, depth + 1);
    } else if (entry.isFile()) {
      const handle = await open(
        join(root, name),
        constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
      );
      try {
        yield { name, handle };
      } finally {
        await handle.close();
      }
    }
  }
}
