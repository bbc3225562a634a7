import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startMongod } from "../../src/supervisor/mongod.ts";
import { startNatsServer } from "../../src/supervisor/natsserver.ts";
import { startWatchdog } from "../../src/supervisor/watchdog.ts";
import { binaryPath } from "./binaries.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A real one-node replica set, shared by the run: use a namespace (test/support/namespace.ts). */
    mongodbUrl: string;
    /** A real nats-server with JetStream on files and without users, shared by the run. */
    natsUrl: string;
  }
}

/** Starts what tests stand on, once for the run, in a temporary folder that goes away with it. */
export default async function services(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), "docket-test-"));
  const watchdog = startWatchdog();
  const [mongod, nats] = await Promise.all([
    startMongod({ watchdog }, { binary: binaryPath("mongod"), folder: join(folder, "mongod") }),
    startNatsServer({ watchdog }, { binary: binaryPath("nats-server"), folder: join(folder, "nats") }),
  ]);
  project.provide("mongodbUrl", mongod.url);
  project.provide("natsUrl", nats.url);
  return async () => {
    await Promise.all([mongod.child.stop(5_000), nats.child.stop(5_000)]);
    await rm(folder, { recursive: true, force: true });
  };
}
