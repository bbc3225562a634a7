import { statfs } from "node:fs/promises";
import type { Service } from "../../shared/lifecycle.ts";
import { nextChange, pause } from "./change.ts";
import type { Connection } from "./connection.ts";
import type { Health } from "./health.ts";

interface ProbeDeps {
  readonly health: Health;
  readonly connection: Connection;
  readonly workDir: string;
  /** Below this, no job is taken. */
  readonly freeDiskBytes: number;
  readonly serverUrls: readonly string[];
}

const DISK_INTERVAL_MS = 5_000;
const BLOB_PROBE_MS = [100, 250, 500, 1_000, 2_000, 5_000] as const;
const BLOB_PROBE_TIMEOUT_MS = 3_000;

/** Blobs come through a server, any of them: it is ready when it can reach the store behind it. */
async function blobsReason(serverUrls: readonly string[]): Promise<string | undefined> {
  const reasons = await Promise.all(serverUrls.map(blobStoreReason));
  return reasons.includes(undefined) ? undefined : reasons.join("; ");
}

async function blobStoreReason(serverUrl: string): Promise<string | undefined> {
  try {
    const answer = await fetch(new URL("/readyz", serverUrl), {
      signal: AbortSignal.timeout(BLOB_PROBE_TIMEOUT_MS),
    });
    await answer.body?.cancel();
    return answer.ok ? undefined : `the server answers ${answer.status} at /readyz`;
  } catch (error) {
    return `the server at ${serverUrl} does not answer (${error instanceof Error ? error.message : "?"})`;
  }
}

/**
 * Watches what all jobs of this executor share: connection and disk all the time, the blob store only after a fetch
 * failed, until it answers again.
 */
export function createProbes(deps: ProbeDeps): Service {
  const { health, connection } = deps;
  let stopped = new AbortController();
  let loops: Promise<void>[] = [];

  const lookAtDisk = async (): Promise<void> => {
    try {
      const stats = await statfs(deps.workDir);
      const free = stats.bavail * stats.bsize;
      const little = `${Math.floor(free / 2 ** 20)} MiB free at ${deps.workDir}, too little to take a job`;
      health.set("disk", free >= deps.freeDiskBytes ? undefined : little);
    } catch (error) {
      health.set("disk", `the work folder cannot be looked at (${String(error)})`);
    }
  };

  const watchDisk = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await pause(health.get("disk") === undefined ? DISK_INTERVAL_MS : 500, stopped.signal);
      await lookAtDisk();
    }
  };

  const watchBlobs = async (): Promise<void> => {
    let failures = 0;
    while (!stopped.signal.aborted) {
      if (health.get("blobs") === undefined) {
        failures = 0;
        await nextChange(health.change, 60_000, stopped.signal);
        continue;
      }
      await pause(BLOB_PROBE_MS[Math.min(failures++, BLOB_PROBE_MS.length - 1)] ?? 0, stopped.signal);
      const reason = await blobsReason(deps.serverUrls);
      if (reason === undefined) health.set("blobs", undefined);
    }
  };

  const lookAtNats = (): void => health.set("nats", connection.up() ? undefined : "NATS is not connected");
  let unlisten: (() => void) | undefined;

  return {
    name: "probes",
    start: async () => {
      if (loops.length > 0) return;
      stopped = new AbortController();
      unlisten = connection.change.listen(lookAtNats);
      lookAtNats();
      await lookAtDisk();
      loops = [watchDisk(), watchBlobs()];
    },
    stop: async () => {
      unlisten?.();
      stopped.abort();
      await Promise.all(loops);
      loops = [];
    },
  };
}
