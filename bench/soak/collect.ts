import { renameSync, writeFileSync } from "node:fs";

/**
 * Loaded before a process's own code (`nodeOptions`) during a soak, and never else: on SIGWINCH, which
 * does nothing to a process without a listener, it collects all garbage and writes what is left to a file named by
 * the process's id, in the folder that `?folder=` of this module's URL names.
 */
export interface Collected {
  /** What is alive, bytes. */
  readonly heapBytes: number;
  /** What V8 holds for it, bytes. */
  readonly heapTotalBytes: number;
  /** Buffers and the like outside of V8's heap, bytes. */
  readonly externalBytes: number;
}

const folder = new URL(import.meta.url).searchParams.get("folder");
if (folder !== null) {
  const file = `${folder}/${process.pid}`;
  process.on("SIGWINCH", () => {
    // As in low memory: again and again until nothing more goes, and what is free goes back to the system.
    globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
    const { heapUsed, heapTotal, external } = process.memoryUsage();
    const collected: Collected = {
      heapBytes: heapUsed,
      heapTotalBytes: heapTotal,
      externalBytes: external,
    };
    writeFileSync(`${file}.new`, JSON.stringify(collected));
    renameSync(`${file}.new`, file);
  });
}

/** The value of NODE_OPTIONS that makes a process of ours collect on demand. */
export function nodeOptions(into: string): string {
  const module = new URL(import.meta.url);
  module.search = "";
  module.searchParams.set("folder", into);
  return `--expose-gc --import=${module.href}`;
}
