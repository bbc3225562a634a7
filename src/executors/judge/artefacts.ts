import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { chmod, mkdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type CopiedFile, copyTree, hashTree } from "./tree.ts";

/** A compiled program in the cache, not evicted before `release`. */
export interface Artefact {
  /** Folder with the program and its sources, for /box, read-only. */
  readonly box: string;
  release(): void;
}

/**
 * Compiled programs on the executor's disk, by everything that makes them what they are. Survives restarts. An entry
 * is renamed into place whole; what was there before this process started is verified by hash before its first use,
 * so neither a crash nor a bad disk makes a program out of half of one.
 */
export interface ArtefactCache {
  /** Undefined when there is none. */
  find(key: string): Promise<Artefact | undefined>;
  /** Copies what a compiler left in `box`. Throws TooLarge, or as the file system does. */
  store(key: string, box: string): Promise<Artefact>;
  readonly stats: { hits: number; misses: number; evictions: number; bytes: number; entries: number };
}

const ENTRY_FILE = "entry.json";
const EntryFile = z.object({
  key: z.string(),
  files: z.array(z.object({ name: z.string(), sizeBytes: z.int(), sha256: z.string() })),
});

interface Entry {
  readonly sizeBytes: number;
  verified: boolean;
  pins: number;
}

/** SHA-256 over the parts that decide what compiling gives. */
export const artefactKey = (parts: readonly unknown[]): string =>
  createHash("sha256")
    .update(JSON.stringify(["docket artefact 1", ...parts]))
    .digest("hex");

/** Opens or makes the cache in `folder`, which belongs to this process alone. */
export async function openArtefactCache(deps: {
  readonly folder: string;
  /** Least recently used entries go when all together are larger. */
  readonly maxBytes: number;
}): Promise<ArtefactCache> {
  const { folder, maxBytes } = deps;
  const stats = { hits: 0, misses: 0, evictions: 0, bytes: 0, entries: 0 };
  /** In order of use, the least recent first. */
  const entries = new Map<string, Entry>();
  const folderOf = (key: string): string => join(folder, key);
  const newName = (): string => join(folder, `new-${randomBytes(8).toString("hex")}`);

  await mkdir(folder, { recursive: true, mode: 0o711 });
  for (const old of readEntries(folder)) {
    entries.set(old.key, { sizeBytes: old.sizeBytes, verified: false, pins: 0 });
    stats.bytes += old.sizeBytes;
  }
  await evict();

  async function remove(key: string, entry: Entry): Promise<void> {
    entries.delete(key);
    stats.bytes -= entry.sizeBytes;
    stats.entries = entries.size;
    // Out of the way at once, so that the same key can be stored anew meanwhile.
    const away = newName();
    if (existsSync(folderOf(key))) renameSync(folderOf(key), away);
    await rm(away, { recursive: true, force: true });
  }

  async function evict(): Promise<void> {
    stats.entries = entries.size;
    for (const [key, entry] of entries) {
      if (stats.bytes <= maxBytes) return;
      if (entry.pins > 0) continue;
      stats.evictions += 1;
      await remove(key, entry);
    }
  }

  function pin(key: string, entry: Entry): Artefact {
    entry.pins += 1;
    entries.delete(key);
    entries.set(key, entry);
    let held = true;
    return {
      box: join(folderOf(key), "box"),
      release: () => {
        if (held) entry.pins -= 1;
        held = false;
      },
    };
  }

  return {
    stats,
    async find(key) {
      const entry = entries.get(key);
      if (entry === undefined) {
        stats.misses += 1;
        return undefined;
      }
      const artefact = pin(key, entry);
      if (!entry.verified) entry.verified = await isWhole(folderOf(key), key);
      // Only the order of eviction after a restart hangs on the time.
      if (entry.verified && (await touch(join(folderOf(key), ENTRY_FILE)))) {
        stats.hits += 1;
        return artefact;
      }
      artefact.release();
      if (entries.get(key) === entry) await remove(key, entry);
      stats.misses += 1;
      return undefined;
    },
    async store(key, box) {
      const making = newName();
      await mkdir(making, { mode: 0o711 });
      await chmod(making, 0o711);
      try {
        const files = await copyTree(box, join(making, "box"));
        await writeFile(join(making, ENTRY_FILE), JSON.stringify({ key, files }));
        const present = entries.get(key);
        // Another slot compiled the same meanwhile.
        if (present?.verified === true) return pin(key, present);
        const removed = present === undefined ? undefined : remove(key, present);
        renameSync(making, folderOf(key));
        const entry = { sizeBytes: sizeOf(files), verified: true, pins: 0 };
        entries.set(key, entry);
        stats.bytes += entry.sizeBytes;
        const artefact = pin(key, entry);
        await removed;
        await evict();
        return artefact;
      } finally {
        await rm(making, { recursive: true, force: true });
      }
    },
  };
}

/** False when it is no longer there. */
async function touch(path: string): Promise<boolean> {
  const now = new Date();
  try {
    await utimes(path, now, now);
    return true;
  } catch {
    return false;
  }
}

/**
 * What an entry counts for, at least: blocks, inodes and its part of the next start. So the bound on bytes is one on
 * the number of small programs, too.
 */
const ENTRY_BYTES = 64 * 1024;

const sizeOf = (files: readonly CopiedFile[]): number =>
  Math.max(
    ENTRY_BYTES,
    files.reduce((sum, file) => sum + file.sizeBytes, 0),
  );

function readEntry(entryFolder: string): z.infer<typeof EntryFile> | undefined {
  try {
    return EntryFile.parse(JSON.parse(readFileSync(join(entryFolder, ENTRY_FILE), "utf8")));
  } catch {
    return undefined;
  }
}

async function isWhole(entryFolder: string, key: string): Promise<boolean> {
  const entry = readEntry(entryFolder);
  if (entry === undefined || entry.key !== key) return false;
  const found = await hashTree(join(entryFolder, "box")).catch(() => undefined);
  return found !== undefined && JSON.stringify(found) === JSON.stringify(entry.files);
}

/** Readable entries by last use; half-made and unreadable ones are removed. Only at the start, so it may block. */
function readEntries(folder: string): readonly { key: string; sizeBytes: number }[] {
  const found: { key: string; sizeBytes: number; usedMs: number }[] = [];
  for (const name of readdirSync(folder)) {
    const entry = readEntry(join(folder, name));
    if (entry === undefined || entry.key !== name) {
      rmSync(join(folder, name), { recursive: true, force: true });
      continue;
    }
    const { mtimeMs } = statSync(join(folder, name, ENTRY_FILE));
    found.push({ key: name, sizeBytes: sizeOf(entry.files), usedMs: mtimeMs });
  }
  return found.toSorted((a, b) => a.usedMs - b.usedMs);
}
