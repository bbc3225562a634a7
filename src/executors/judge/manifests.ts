import { readFile } from "node:fs/promises";
import type { Sha256 } from "../../shared/ids.ts";
import { ProblemManifest } from "../../shared/judging.ts";
import type { BlobSource } from "../work.ts";
import { JudgeFault } from "./faults.ts";

/** Reads a manifest by its hash. Throws JudgeFault JOB_MALFORMED, and as BlobSource.open does. */
export type ReadManifest = (sha256: Sha256, blobs: BlobSource) => Promise<ProblemManifest>;

/** Parsed manifests kept: a problem in use is parsed once, and a hash never means anything else. */
const KEPT = 32;

export function createManifestReader(): ReadManifest {
  const kept = new Map<Sha256, ProblemManifest>();
  return async (sha256, blobs) => {
    const manifest = kept.get(sha256) ?? (await read(sha256, blobs));
    kept.delete(sha256);
    kept.set(sha256, manifest);
    for (const oldest of kept.keys()) if (kept.size > KEPT) kept.delete(oldest);
    return manifest;
  };
}

async function read(sha256: Sha256, blobs: BlobSource): Promise<ProblemManifest> {
  const blob = await blobs.open(sha256);
  let text: string;
  try {
    text = await readFile(blob.path, "utf8");
  } finally {
    blob.release();
  }
  const manifest = ProblemManifest.safeParse(jsonOf(text));
  if (manifest.success) return manifest.data;
  const message = `blob ${sha256} is no problem manifest: ${manifest.error.message}`;
  throw new JudgeFault({ code: "JOB_MALFORMED", message, retry: false });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
