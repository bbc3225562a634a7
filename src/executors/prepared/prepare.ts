import {
  chmodSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { once } from "../languages/once.ts";
import type { Prepared } from "../languages/language.ts";
import { bytesBelow, COMPLETE, isComplete, preparedFolder, preparedRoot } from "./folder.ts";

export interface PrepareInput {
  readonly cacheDir: string;
  /** Most that all together may take on the disk; what was not wanted for the longest time goes first. */
  readonly maxBytes: number;
  readonly wanted: readonly Prepared[];
}

export type PrepareStep =
  | { readonly type: "hit" | "miss"; readonly name: string; readonly bytes: number }
  /** Not there afterwards; everything works without, only slower. */
  | { readonly type: "failed"; readonly name: string; readonly reason: string }
  | { readonly type: "evicted"; readonly name: string; readonly bytes: number };

export interface PrepareDeps {
  /** Runs the script in the folder; throws with what it said when it does not end with 0. */
  readonly run: (prepared: Prepared, folder: string) => Promise<void>;
  readonly onStep: (step: PrepareStep) => void;
}

/** Makes what is missing, one after the other and in one process of the machine at a time. */
export async function prepare(deps: PrepareDeps, input: PrepareInput): Promise<void> {
  const mine = new Set(input.wanted.map((one) => preparedFolder(input.cacheDir, one)));
  for (const prepared of input.wanted) {
    const folder = preparedFolder(input.cacheDir, prepared);
    const { name } = prepared;
    if (isComplete(folder)) {
      const now = new Date();
      utimesSync(join(folder, COMPLETE), now, now);
      deps.onStep({ type: "hit", name, bytes: bytesBelow(folder) });
      continue;
    }
    try {
      let made = false;
      await once(
        folder,
        () => isComplete(folder),
        async () => {
          await make(deps, input, prepared, mine);
          made = true;
        },
      );
      deps.onStep({ type: made ? "miss" : "hit", name, bytes: bytesBelow(folder) });
    } catch (error) {
      deps.onStep({ type: "failed", name, reason: error instanceof Error ? error.message : String(error) });
    }
  }
}

async function make(
  deps: PrepareDeps,
  input: PrepareInput,
  prepared: Prepared,
  mine: ReadonlySet<string>,
): Promise<void> {
  const folder = preparedFolder(input.cacheDir, prepared);
  const making = `${folder}.making`;
  // Left by one that was killed: whoever holds the lock is the only one.
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  try {
    for (const [name, text] of Object.entries(prepared.files)) writeFileSync(join(making, name), text);
    await deps.run(prepared, making);
    const bytes = prepared.keep.reduce((sum, file) => sum + statSync(join(making, file)).size, 0);
    evict(deps, input, { bytes, mine });
    for (const file of prepared.keep) {
      const place = join(folder, file);
      mkdirSync(dirname(place), { recursive: true });
      chmodSync(dirname(place), 0o755);
      chmodSync(join(making, file), 0o444);
      renameSync(join(making, file), place);
    }
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, COMPLETE), "");
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

/** Makes room; throws when there is none but for what is wanted now. */
function evict(
  { onStep }: PrepareDeps,
  { cacheDir, maxBytes }: PrepareInput,
  { bytes, mine }: { readonly bytes: number; readonly mine: ReadonlySet<string> },
): void {
  const root = preparedRoot(cacheDir);
  const folders = readdirSync(root)
    .map((name) => join(root, name))
    .filter((folder) => isComplete(folder))
    .map((folder) => ({
      folder,
      bytes: bytesBelow(folder),
      usedMs: statSync(join(folder, COMPLETE)).mtimeMs,
    }))
    .toSorted((a, b) => a.usedMs - b.usedMs);
  let total = folders.reduce((sum, one) => sum + one.bytes, bytes);
  for (const old of folders) {
    if (total <= maxBytes) return;
    if (mine.has(old.folder)) continue;
    // The mark first, so that half of it is never taken for all of it.
    rmSync(join(old.folder, COMPLETE));
    rmSync(old.folder, { recursive: true });
    total -= old.bytes;
    onStep({ type: "evicted", name: old.folder.slice(root.length + 1), bytes: old.bytes });
  }
  if (total > maxBytes) throw new Error(`no room for ${bytes} bytes more within toolchainCacheBytes`);
}
