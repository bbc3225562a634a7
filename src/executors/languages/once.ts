import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const LOOK_MS = 200;

/**
 * Makes something that several executors of a machine share, one of them at a time: the others wait and then find it.
 * `find` looks whether it is there. The lock is an abstract unix socket, so a maker that dies does not hold it.
 */
export async function once(name: string, find: () => boolean, make: () => Promise<void>): Promise<void> {
  const address = `\0docket-once-${createHash("sha256").update(name).digest("hex")}`;
  while (!find()) {
    const lock = createServer((socket) => socket.destroy());
    const taken = await new Promise<boolean>((resolve, reject) => {
      lock.once("error", (error: NodeJS.ErrnoException) =>
        error.code === "EADDRINUSE" ? resolve(false) : reject(error),
      );
      lock.listen(address, () => resolve(true));
    });
    if (!taken) {
      await sleep(LOOK_MS);
      continue;
    }
    try {
      if (!find()) await make();
    } finally {
      await new Promise((resolve) => lock.close(resolve));
    }
  }
}
