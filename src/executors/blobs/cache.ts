import { createHash } from "node:crypto";
import { createReadStream, rmSync } from "node:fs";
import { mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Sha256 } from "../../shared/ids.ts";
import type { Log } from "../../shared/log.ts";
import { unlessAborted } from "../../shared/unlessaborted.ts";
import { fetchBlob } from "./fetch.ts";
import type { ExecutorMetrics } from "../backbone/metrics.ts";
import { BlobFault, type BlobSource } from "../work.ts";

export interface BlobCache {
  /** Read access with the capability of one job; `signal` ends the waiting of that job. */
  source(capability: string, signal: AbortSignal): BlobSource;
  bytes(): number;
}

interface CacheDeps {
  /** Folder of this executor alone; made when missing. */
  readonly folder: string;
  readonly maxBytes: number;
  readonly serverUrls: readonly string[];
  readonly metrics: Pick<ExecutorMetrics, "blobHits" | "blobMisses" | "blobEvictions" | "blobBytes">;
  readonly log: Log;
}

interface Entry {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  /** False for what an earlier process left: its hash is looked at before the first use. */
  verified: boolean;
  pins: number;
}

/**
 * Bounded disk cache of blobs. A file gets its name only after its hash was right, so a crash leaves nothing half; what
 * an earlier process left is checked again at its first use, so that not even a power cut can spoil a verdict. The
 * least recently used unpinned blobs make room. What is pinned stays, so a job larger than the cache still runs.
 */
export async function openBlobCache(deps: CacheDeps): Promise<BlobCache> {
  const { folder, metrics, log } = deps;
  // Map order is the order of use: the first is the one to go.
  const entries = new Map<Sha256, Entry>();
  const flights = new Map<Sha256, Promise<Entry>>();
  const incoming = join(folder, "incoming");
  let bytes = 0;

  const pathOf = (sha256: Sha256): string => join(folder, sha256.slice(0, 2), sha256);
  const add = (entry: Entry): void => {
    entries.set(entry.sha256, entry);
    bytes += entry.sizeBytes;
    metrics.blobBytes.set(bytes);
  };
  /** At once, not in the background: the same blob may be fetched again to the same path meanwhile. */
  const remove = (entry: Entry): void => {
    if (!entries.delete(entry.sha256)) return;
    bytes -= entry.sizeBytes;
    metrics.blobBytes.set(bytes);
    rmSync(pathOf(entry.sha256), { force: true });
  };

  const makeRoom = (): void => {
    for (const entry of entries.values()) {
      if (bytes <= deps.maxBytes) return;
      if (entry.pins > 0) continue;
      metrics.blobEvictions.inc();
      remove(entry);
    }
  };

  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true });
  for (const found of await scan(folder)) add({ ...found, verified: false, pins: 0 });
  makeRoom();

  const get = async (sha256: Sha256, capability: string): Promise<Entry> => {
    const there = entries.get(sha256);
    if (there !== undefined) {
      if (there.verified || (await hashOf(pathOf(sha256)).catch(gone)) === sha256) {
        there.verified = true;
        metrics.blobHits.inc();
        return there;
      }
      log.warn({ sha256 }, "a cached blob was damaged; fetched again");
      remove(there);
    }
    metrics.blobMisses.inc();
    const file = join(incoming, sha256);
    const sizeBytes = await fetchBlob(deps.serverUrls, sha256, capability, file);
    await mkdir(join(folder, sha256.slice(0, 2)), { recursive: true });
    await rename(file, pathOf(sha256));
    const entry: Entry = { sha256, sizeBytes, verified: true, pins: 0 };
    add(entry);
    return entry;
  };

  /** One fetch for all that want the same blob at once. Another job's refusal is not taken over. */
  const getOnce = async (sha256: Sha256, capability: string): Promise<Entry> => {
    for (;;) {
      const flight = flights.get(sha256);
      if (flight === undefined) break;
      try {
        return await flight;
      } catch (error) {
        if (error instanceof BlobFault && error.shared) throw error;
      }
    }
    const flight = get(sha256, capability);
    flights.set(sha256, flight);
    try {
      return await flight;
    } finally {
      flights.delete(sha256);
    }
  };

  const pin = (entry: Entry): (() => void) => {
    entry.pins++;
    // Used now: to the end of the order.
    entries.delete(entry.sha256);
    entries.set(entry.sha256, entry);
    let pinned = true;
    return () => {
      if (!pinned) return;
      pinned = false;
      entry.pins--;
      if (bytes > deps.maxBytes) makeRoom();
    };
  };

  const open = async (sha256: Sha256, capability: string, signal: AbortSignal) => {
    signal.throwIfAborted();
    // A fetch goes on for others (and for the cache) when one that waits is told to stop.
    const entry = await unlessAborted(getOnce(sha256, capability), signal);
    // Between the fetch and here another blob may have pushed this one out.
    if (entries.get(sha256) !== entry) return await open(sha256, capability, signal);
    const release = pin(entry);
    const path = pathOf(sha256);
    makeRoom();
    try {
      // The order of use outlives the process as the files' times.
      const now = new Date();
      await utimes(path, now, now);
    } catch (error) {
      release();
      if (!isAbsent(error)) throw error;
      log.warn({ sha256 }, "a cached blob has gone from the disk; fetched again");
      // Another job may have noticed first, and have fetched it.
      if (entries.get(sha256) === entry) remove(entry);
      return await open(sha256, capability, signal);
    }
    return { path, release };
  };

  return {
    bytes: () => bytes,
    source: (capability, signal) => ({ open: (sha256) => open(sha256, capability, signal) }),
  };
}

/** What an earlier process left, least recently used first. Foreign files are not touched. */
async function scan(folder: string): Promise<{ sha256: Sha256; sizeBytes: number }[]> {
  const found: { sha256: Sha256; sizeBytes: number; usedMs: number }[] = [];
  for (const shard of await readdir(folder)) {
    if (!/^[0-9a-f]{2}$/.test(shard)) continue;
    for (const name of await readdir(join(folder, shard))) {
      const sha256 = Sha256.safeParse(name);
      if (!sha256.success) continue;
      const { size, mtimeMs } = await stat(join(folder, shard, name));
      found.push({ sha256: sha256.data, sizeBytes: size, usedMs: mtimeMs });
    }
  }
  return found.toSorted((a, b) => a.usedMs - b.usedMs);
}

const isAbsent = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === "ENOENT";

/** Not there any more: somebody cleaned up by hand. */
function gone(error: unknown): undefined {
  if (!isAbsent(error)) throw error;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}
