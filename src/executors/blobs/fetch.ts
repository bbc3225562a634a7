import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { chmod, rm } from "node:fs/promises";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Sha256 } from "../../shared/ids.ts";
import { BlobFault } from "../work.ts";

/** Pauses between tries while the server does not answer, milliseconds. */
const RETRY_MS = [100, 400] as const;
/** A fetch that brings no byte for this long is given up, milliseconds. */
const STALL_MS = 10_000;

/**
 * Fetches one blob into `file` (read-only for everyone, as the sandbox reads it under other uids) and returns its size.
 * Each try asks the next server.
 * Throws BlobFault: shared when the server is out of reach or in trouble, otherwise about this blob alone. Other
 * errors (a full disk) are thrown as they are. No file is left after a throw.
 */
export async function fetchBlob(
  serverUrls: readonly string[],
  sha256: Sha256,
  capability: string,
  file: string,
): Promise<number> {
  // Not always the same one first, so that fetches are spread over the servers.
  const first = Number.parseInt(sha256.slice(0, 6), 16);
  for (let attempt = 0; ; attempt++) {
    try {
      const serverUrl = serverUrls[(first + attempt) % serverUrls.length];
      return await fetchOnce(new URL(`/blobs/${sha256}`, serverUrl), sha256, capability, file);
    } catch (error) {
      await rm(file, { force: true });
      const waitMs = RETRY_MS[attempt];
      const again = error instanceof BlobFault && (error.shared || error.code === "BLOB_CORRUPT");
      if (!again || waitMs === undefined) throw error;
      await sleep(waitMs);
    }
  }
}

async function fetchOnce(url: URL, sha256: Sha256, capability: string, file: string): Promise<number> {
  const stalled = new AbortController();
  const timer = setTimeout(() => stalled.abort(new Error(`no byte for ${STALL_MS} ms`)), STALL_MS);
  const outOfReach = (error: unknown): BlobFault => {
    const why = error instanceof Error ? (error.cause ?? error) : error;
    return new BlobFault("BLOB_UNAVAILABLE", `Blob ${sha256}: ${String(why)}`, true, { cause: error });
  };
  try {
    let answer: Response;
    try {
      answer = await fetch(url, {
        headers: { authorization: `Bearer ${capability}` },
        redirect: "error",
        signal: stalled.signal,
      });
    } catch (error) {
      throw outOfReach(error);
    }
    if (!answer.ok || answer.body === null) {
      await answer.body?.cancel();
      const inTrouble = answer.status >= 500 || answer.status === 429;
      throw new BlobFault(
        "BLOB_UNAVAILABLE",
        `Blob ${sha256}: the server answers ${answer.status}`,
        inTrouble,
      );
    }
    const hash = createHash("sha256");
    let sizeBytes = 0;
    const measure = new Transform({
      transform: (chunk: Uint8Array, _encoding, done) => {
        timer.refresh();
        hash.update(chunk);
        sizeBytes += chunk.length;
        done(null, chunk);
      },
    });
    try {
      await pipeline(answer.body, measure, createWriteStream(file, { mode: 0o444 }));
    } catch (error) {
      throw isFileError(error) ? error : outOfReach(error);
    }
    if (hash.digest("hex") !== sha256) {
      throw new BlobFault("BLOB_CORRUPT", `Blob ${sha256}: the bytes do not have this hash`, false);
    }
    // The umask may have taken rights away at creation.
    await chmod(file, 0o444);
    return sizeBytes;
  } finally {
    clearTimeout(timer);
  }
}

const isFileError = (error: unknown): boolean =>
  error instanceof Error && "syscall" in error && (error.syscall === "write" || error.syscall === "open");
