import { type ChildProcess, execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { arch, tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../../src/supervisor/checkout.ts";
import { freePort } from "../../src/supervisor/preflight.ts";

/**
 * BullMQ on a real Redis, for comparison: both are fetched when the benchmark runs, by apt and npm, into .docket/bench,
 * and are no part of Docket. Redis writes an append-only file and syncs it every second.
 */

const run = promisify(execFile);
const FOLDER = join(ROOT, ".docket/bench");
/** Both MIT; the second is the client that the first uses where it is there. */
const BULLMQ = ["bullmq@6.7.0", "ioredis@5.8.2"] as const;
/** Debian's, unpacked and not installed. */
const REDIS_PACKAGES = [
  "redis-tools libatomic1 libjemalloc2 liblua5.1-0 liblzf1 lua-bitop lua-cjson",
].flatMap((names) => names.split(" "));

export interface Redis {
  readonly port: number;
  stop(): Promise<void>;
}

/** As much of BullMQ as is used. */
export interface BullMq {
  Queue: new (
    name: string,
    options: object,
  ) => { addBulk(jobs: readonly object[]): Promise<unknown>; close(): Promise<void> };
  Worker: new (
    name: string,
    work: () => Promise<unknown>,
    options: object,
  ) => {
    on(event: "completed", heard: () => void): void;
    close(): Promise<void>;
    waitUntilReady(): Promise<unknown>;
  };
}

async function fetchRedis(): Promise<string> {
  const folder = join(FOLDER, "redis");
  if (!existsSync(join(folder, "usr/bin/redis-check-rdb"))) {
    console.error("Fetching redis (1.5 MB, Debian) and bullmq (npm) for the comparison ...");
    await mkdir(folder, { recursive: true });
    await run("apt-get", ["download", "-qq", ...REDIS_PACKAGES], { cwd: folder });
    for (const file of await readdir(folder)) {
      if (file.endsWith(".deb")) await run("dpkg", ["-x", file, "."], { cwd: folder });
    }
  }
  return folder;
}

export async function fetchBullMq(): Promise<void> {
  const folder = join(FOLDER, "bullmq");
  if (existsSync(join(folder, "node_modules/ioredis/package.json"))) return;
  await mkdir(folder, { recursive: true });
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional"];
  await run("npm", ["install", "--prefix", folder, "--save-exact", ...quiet, ...BULLMQ]);
}

/** What was fetched before. */
export const loadBullMq = (): BullMq =>
  createRequire(join(FOLDER, "bullmq/package.json"))("bullmq") as BullMq;

const gone = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once("exit", () => resolve());
  });

export async function startRedis(): Promise<Redis> {
  const fetched = await fetchRedis();
  const folder = await mkdtemp(join(tmpdir(), "docket-redis-"));
  const port = await freePort("127.0.0.1", 0);
  const settings = {
    port,
    bind: "127.0.0.1",
    dir: folder,
    appendonly: "yes",
    appendfsync: "everysec",
    save: "",
    "maxmemory-policy": "noeviction",
  };
  // Debian's redis-server is a link to this program, which takes its name as its part.
  const child = spawn(
    join(fetched, "usr/bin/redis-check-rdb"),
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    {
      argv0: "redis-server",
      env: { LD_LIBRARY_PATH: join(fetched, `usr/lib/${arch() === "x64" ? "x86_64" : "aarch64"}-linux-gnu`) },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  // However this process ends.
  process.once("exit", () => child.kill("SIGKILL"));
  await new Promise<void>((resolve, reject) => {
    child.stdout.on("data", (text: Buffer) => text.includes("Ready to accept connections") && resolve());
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`redis-server ended with ${code}`)));
  });
  return {
    port,
    stop: async () => {
      const ended = gone(child);
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
