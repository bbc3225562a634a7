import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { connectNats } from "../shared/nats.ts";
import { type Child, describeExit, startChild } from "./child.ts";
import { giveTo } from "./ownership.ts";
import type { StartDeps } from "./watchdog.ts";

export interface NatsServer {
  /** nats://127.0.0.1:PORT */
  readonly url: string;
  readonly port: number;
  readonly child: Child;
}

export interface NatsServerInput {
  readonly binary: string;
  /** Configuration, JetStream store and ports file; made when missing. */
  readonly folder: string;
  /** 0 or nothing: any free port. */
  readonly port?: number;
  readonly uid?: number | undefined;
  /** An `authorization { … }` block; without one everybody may do everything (tests). */
  readonly authorization?: string;
  /** A user that may connect, to see that it is ready. */
  readonly user?: { readonly name: string; readonly password: string };
  readonly onLine?: (line: string) => void;
  /** Left out: it stands alone. */
  readonly cluster?: NatsCluster;
}

/** A server's place in a cluster, whose servers find each other by `ports`. */
export interface NatsCluster {
  /** This server's, one of the cluster. */
  readonly serverName: string;
  /** Where this server listens for the others, on 127.0.0.1. */
  readonly port: number;
  /** Where all of them do. */
  readonly ports: readonly number[];
  /** Known to the servers of the cluster alone. */
  readonly password: string;
}

/** Patient: a node of a cluster reads the state of every stream and consumer first, on however little CPU there is. */
const START_MS = 120_000;
const LOOK_MS = 25;
const KEPT_LINES = 20;
const PortsFile = z.object({ nats: z.array(z.string()).min(1) });

/** The configuration file of a nats-server with JetStream on files. `port` -1: any free one. */
export function natsConf(input: {
  port: number;
  folder: string;
  authorization?: string | undefined;
  cluster?: NatsCluster | undefined;
}): string {
  return `# Written by src/supervisor at every start; changes are lost.
listen: "127.0.0.1:${input.port}"
ports_file_dir: ${JSON.stringify(join(input.folder, "ports"))}
jetstream {
  store_dir: ${JSON.stringify(join(input.folder, "js"))}
  # MongoDB is the truth and the outbox puts back what a crash of the broker lost.
  sync_interval: "1s"
  max_file_store: 8GB
  max_memory_store: 256MB
}
max_payload: 2MB
max_control_line: 8KB
${input.authorization ?? ""}
${input.cluster === undefined ? "" : clusterConf(input.cluster)}
`;
}

/** Clients are told the addresses of all servers by whoever starts them, and learn none from a server. */
function clusterConf({ serverName, port, ports, password }: NatsCluster): string {
  const routes = ports.map((other) => JSON.stringify(`nats-route://route:${password}@127.0.0.1:${other}`));
  return `server_name: ${JSON.stringify(serverName)}
cluster {
  name: docket
  listen: "127.0.0.1:${port}"
  no_advertise: true
  authorization { user: route, password: ${JSON.stringify(password)} }
  routes: [${routes.join(", ")}]
}`;
}

/** Starts nats-server on 127.0.0.1; ready when a client can connect and JetStream answers. */
export async function startNatsServer(deps: StartDeps, input: NatsServerInput): Promise<NatsServer> {
  const ports = join(input.folder, "ports");
  await rm(ports, { recursive: true, force: true });
  await mkdir(ports, { recursive: true, mode: 0o700 });
  const file = join(input.folder, "nats.conf");
  const conf = natsConf({
    port: input.port === undefined || input.port === 0 ? -1 : input.port,
    folder: input.folder,
    authorization: input.authorization,
    cluster: input.cluster,
  });
  await rm(file, { force: true });
  await writeFile(file, conf, { mode: 0o600 });
  await giveTo(input.folder, input.uid);
  for (const made of [file, ports]) await giveTo(made, input.uid);
  const last: string[] = [];
  const child = await startChild(deps.watchdog, {
    name: "nats-server",
    command: input.binary,
    args: ["-c", file],
    uid: input.uid,
    env: { PATH: process.env["PATH"], HOME: input.folder },
    onStderr: (line) => {
      last.push(line);
      if (last.length > KEPT_LINES) last.shift();
      input.onLine?.(line);
    },
  });
  deps.born?.(child);
  try {
    const url = await waitReady(ports, child, input.user);
    return { url, port: Number(new URL(url).port), child };
  } catch (error) {
    await child.stop(0);
    throw new Error(`nats-server did not start:\n${last.join("\n")}`, { cause: error });
  }
}

async function waitReady(
  ports: string,
  child: Child,
  user: { readonly name: string; readonly password: string } | undefined,
): Promise<string> {
  const until = Date.now() + START_MS;
  for (;;) {
    const exit = child.exit();
    if (exit !== undefined) throw new Error(`nats-server ended with ${describeExit(exit)}`);
    if (Date.now() > until) throw new Error(`nats-server was not ready within ${START_MS} ms`);
    try {
      const written = await readFile(join(ports, `nats-server_${child.pid}.ports`), "utf8");
      const [address] = PortsFile.parse(JSON.parse(written)).nats;
      const url = `nats://127.0.0.1:${new URL(address ?? "").port}`;
      const connection = await connectNats(
        { url, user: user?.name, password: user?.password },
        "supervisor",
        { reconnect: false },
      );
      try {
        await connection.request("$JS.API.INFO", "", { timeout: 1_000 });
      } finally {
        await connection.close();
      }
      return url;
    } catch {
      await sleep(LOOK_MS);
    }
  }
}
