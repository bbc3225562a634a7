import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { MongoClient } from "mongodb";
import { z } from "zod";
import { type Child, describeExit, startChild } from "./child.ts";
import { giveTo } from "./ownership.ts";
import type { StartDeps } from "./watchdog.ts";

export interface Mongod {
  readonly url: string;
  readonly child: Child;
}

export interface MongodInput {
  readonly binary: string;
  /** Data and socket; made when missing. */
  readonly folder: string;
  readonly uid?: number | undefined;
  readonly onLine?: (line: string) => void;
  /** Of the storage engine, default 256: what is read and written often stays in it, and it fills up to this. */
  readonly cacheMiB?: number | undefined;
  /**
   * Its socket when it is one of several: it is ready when it has a place in their set, or waits to be given one. The
   * folder is there already. No capital letters: the driver makes small ones of what members are called.
   */
  readonly memberSocket?: string;
}

/** What we change of a replica set's configuration; the rest is kept as it is. */
const SetConfig = z.looseObject({
  version: z.int(),
  members: z.array(z.looseObject({ host: z.string() })),
});

/** A unix socket's path has at most 107 characters, and mongod adds one of its own beside ours. */
const SOCKET_PATH_MAX = 100;
const START_MS = 60_000;
const CONNECT_MS = 2_000;
const LOOK_MS = 25;
const CACHE_MIB = 256;
const KEPT_LINES = 4;
const KEPT_CHARACTERS = 500;

/**
 * Starts mongod as a one-node replica set on a unix socket that only its own user (and root) can open: no TCP port.
 * Ready when it is primary. Flags and reasons: a real mongod 6.0 for local use only.
 */
export async function startMongod(deps: StartDeps, input: MongodInput): Promise<Mongod> {
  const socket = input.memberSocket ?? join(input.folder, "m.sock");
  if (socket.length > SOCKET_PATH_MAX) {
    throw new Error(`The data folder's path is too long for a unix socket: ${socket}`);
  }
  const data = join(input.folder, "db");
  await mkdir(data, { recursive: true, mode: 0o700 });
  await rm(socket, { force: true });
  await giveTo(input.folder, input.uid);
  const troubles: string[] = [];
  const cacheMiB = input.cacheMiB ?? CACHE_MIB;
  const child = await startChild(deps.watchdog, {
    name: "mongod",
    command: input.binary,
    args: [
      ["--dbpath", data, "--bind_ip", socket, "--unixSocketPrefix", dirname(socket)],
      ["--filePermissions", "0600", "--replSet", "rs0", "--oplogSize", "256"],
      // zlib stays off: CVE-2025-14847.
      ["--networkMessageCompressors", "snappy,zstd"],
      // Its own option for the cache knows no less than 256 MiB.
      ["--wiredTigerEngineConfigString", `cache_size=${cacheMiB}M,log=(prealloc=false,file_max=16MB)`],
      ["--setParameter", "diagnosticDataCollectionEnabled=false"],
      ["--setParameter", "ttlMonitorSleepSecs=5"],
      // What its allocator keeps for each connection's thread, all together: without a bound an eighth of the machine.
      ["--setParameter", `tcmallocMaxTotalThreadCacheBytes=${8 * 2 ** 20}`],
      // A primary that is told to stop waits no longer for another one to take over, milliseconds.
      ["--setParameter", "shutdownTimeoutMillisForSignaledShutdown=1000"],
    ].flat(),
    uid: input.uid,
    env: { PATH: process.env["PATH"], HOME: data, LC_ALL: "C" },
    onStdout: (line) => {
      // Severity fatal or error: what a failed start needs to be explained.
      if (/"s":"[FE]"/.test(line) && troubles.length < KEPT_LINES)
        troubles.push(line.slice(0, KEPT_CHARACTERS));
      input.onLine?.(line);
    },
  });
  deps.born?.(child);
  const url = `mongodb://${encodeURIComponent(socket)}/?directConnection=true`;
  try {
    await becomeReady(url, child, input.memberSocket === undefined ? socket : undefined);
  } catch (error) {
    await child.stop(0);
    throw new Error(`mongod did not start:\n${troubles.join("\n")}`, { cause: error });
  }
  return { url, child };
}

/** `alone`: its socket when it makes a set of itself. */
async function becomeReady(url: string, child: Child, alone: string | undefined): Promise<void> {
  const until = Date.now() + START_MS;
  for (;;) {
    const exit = child.exit();
    if (exit !== undefined) throw new Error(`mongod ended with ${describeExit(exit)}`);
    if (Date.now() > until) throw new Error(`mongod was not ready within ${START_MS} ms`);
    // A new client each time: one whose first connection failed never connects again.
    const client = new MongoClient(url, { serverSelectionTimeoutMS: CONNECT_MS });
    try {
      const hello = await client.db("admin").command({ hello: 1 });
      if (hello["isWritablePrimary"] === true) return;
      if (alone === undefined) {
        if (hello["secondary"] === true || hello["isreplicaset"] === true) return;
      } else if (hello["setName"] === undefined && !(await rehome(client, alone))) {
        await initiate(client, [alone]);
      }
    } catch {
      // Not listening yet.
    } finally {
      await client.close();
    }
    await sleep(LOOK_MS);
  }
}

/**
 * A data folder that was moved or copied still names its old socket, and a node that is not in its own set waits for
 * ever. True when that was so and the set now names `socket`.
 */
async function rehome(client: MongoClient, socket: string): Promise<boolean> {
  const admin = client.db("admin");
  const answer = await admin.command({ replSetGetConfig: 1 }).catch(() => undefined);
  const config = SetConfig.safeParse(answer?.["config"]).data;
  const [member, ...others] = config?.members ?? [];
  if (config === undefined || member === undefined || others.length > 0 || member.host === socket)
    return false;
  const moved = { ...config, version: config.version + 1, members: [{ ...member, host: socket }] };
  await admin.command({ replSetReconfig: moved, force: true });
  return true;
}

/** Of several nodes: how long the others wait for a silent primary before they choose another, milliseconds. */
const ELECTION_MS = 3_000;

async function initiate(client: MongoClient, sockets: readonly string[]): Promise<void> {
  const members = sockets.map((host, _id) => ({ _id, host }));
  const settings = { electionTimeoutMillis: ELECTION_MS, heartbeatIntervalMillis: ELECTION_MS / 3 };
  const alone = members.length === 1;
  await client
    .db("admin")
    .command({ replSetInitiate: { _id: "rs0", members, ...(alone ? {} : { settings }) } })
    .catch((error: unknown) => {
      const ALREADY_INITIALIZED = 23;
      if ((error as { code?: number }).code !== ALREADY_INITIALIZED) throw error;
    });
}

/** Makes one replica set of running members, unless they are one; resolves to its URL when it has a primary. */
export async function joinMembers(sockets: readonly string[]): Promise<string> {
  const first = new MongoClient(`mongodb://${encodeURIComponent(sockets[0] ?? "")}/?directConnection=true`);
  try {
    await initiate(first, sockets);
  } finally {
    await first.close();
  }
  const url = `mongodb://${sockets.map(encodeURIComponent).join(",")}/?replicaSet=rs0`;
  const set = new MongoClient(url, { serverSelectionTimeoutMS: START_MS });
  try {
    await set.db("admin").command({ ping: 1 }, { readPreference: "primary" });
  } finally {
    await set.close();
  }
  return url;
}
