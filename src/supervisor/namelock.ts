import { createServer } from "node:net";

export interface NameLock {
  release(): void;
}

/**
 * A lock on a name for the whole machine that cannot become stale: an abstract unix socket, which the kernel
 * takes back at once when its holder ends in any way. Undefined when another process (or this one) holds it.
 */
export async function takeName(name: string): Promise<NameLock | undefined> {
  const server = createServer((socket) => socket.destroy());
  const taken = await new Promise<boolean>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(false) : reject(error),
    );
    server.listen(`\0${name}`, () => resolve(true));
  });
  if (!taken) return undefined;
  server.unref();
  return { release: () => void server.close() };
}
