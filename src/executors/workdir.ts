import { createHash } from "node:crypto";
import { mkdir, realpath } from "node:fs/promises";
import { createServer } from "node:net";

/**
 * Takes the work folder for this process alone and returns the function that lets it go. Two executors in one folder
 * would remove each other's boxes and cached blobs. The lock is a listening abstract socket, so the kernel frees it
 * however the process ends. Throws when another process has it.
 */
export async function lockWorkDir(workDir: string): Promise<() => Promise<void>> {
  await mkdir(workDir, { recursive: true });
  const name = createHash("sha256")
    .update(await realpath(workDir))
    .digest("hex");
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "EADDRINUSE"
          ? new Error(`Another executor uses the work folder ${workDir}: give each one a folder of its own.`)
          : error,
      ),
    );
    server.listen(`\0docket-executor-${name}`, resolve);
  });
  server.unref();
  return () => new Promise((resolve) => void server.close(() => resolve()));
}
