import { mkdir, realpath, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Backing, type BackingInput, bornIn, brokerUsers } from "./backing.ts";
import type { Child } from "./child.ts";
import type { StackDeps } from "./deps.ts";
import { derive } from "./identity.ts";
import { keepAlive } from "./keepalive.ts";
import { joinMembers, startMongod } from "./mongod.ts";
import { type NatsCluster, startNatsServer } from "./natsserver.ts";
import { giveTo } from "./ownership.ts";
import { freePort } from "./preflight.ts";

/** An odd number, so that one can fail and the rest is a majority. */
export const NODES = 3;
const HOST = "127.0.0.1";

/** Starts a replica set of three mongod and a cluster of three nats-server, each a process of its own. */
export async function startClusterBacking(deps: StackDeps, input: BackingInput): Promise<Backing> {
  const [mongodb, broker] = await Promise.allSettled([startSet(deps, input), startBrokers(deps, input)]);
  if (mongodb.status === "rejected") throw mongodb.reason;
  if (broker.status === "rejected") throw broker.reason;
  return { mongodbUrl: mongodb.value, ...broker.value };
}

const numbers = Array.from({ length: NODES }, (_, index) => index + 1);

/** Small letters only, whatever the data folder is called; nobody but the nodes' user (and root) gets in. */
const socketFolderOf = (deps: StackDeps): string => `/tmp/docket-mongod-${deps.identity.id}`;

/** To be called when the nodes have stopped. */
export const removeSockets = (deps: StackDeps): Promise<void> =>
  rm(socketFolderOf(deps), { recursive: true, force: true });

async function startSet(deps: StackDeps, input: BackingInput): Promise<string> {
  const binary = await realpath(join(input.binFolder, "mongod"));
  const names = numbers.map((number) => `mongod-${number}`);
  const sockets = names.map((name) => join(socketFolderOf(deps), `${name}.sock`));
  // An earlier supervisor that was killed may have left it.
  await removeSockets(deps);
  await mkdir(socketFolderOf(deps), { mode: 0o700 });
  await giveTo(socketFolderOf(deps), deps.block?.service);
  await Promise.all(
    names.map(async (name, index) => {
      const onLine = await deps.logs.writer(name);
      const start = async (born: (child: Child) => void): Promise<void> => {
        await startMongod(
          { ...deps, born: bornIn(deps, born) },
          {
            binary,
            folder: join(deps.data.path, name),
            memberSocket: sockets[index] ?? "",
            uid: deps.block?.service,
            onLine,
          },
        );
      };
      input.keep(await keepAlive(name, start, deps.tell));
    }),
  );
  return await joinMembers(sockets);
}

async function startBrokers(deps: StackDeps, input: BackingInput): Promise<Pick<Backing, "nats" | "access">> {
  const binary = await realpath(join(input.binFolder, "nats-server"));
  const { server, authorization } = brokerUsers(deps, input);
  const password = derive(deps.identity, "nats:route");
  // Their clients, and the others, must find each one at the same port in every later life.
  const ports: number[] = [];
  for (const _ of numbers) ports.push(await freePort(HOST, 0));
  const clientPorts: number[] = [];
  for (const _ of numbers) clientPorts.push(await freePort(HOST, 0));
  await Promise.all(
    numbers.map(async (number, index) => {
      const serverName = `nats-server-${number}`;
      const onLine = await deps.logs.writer(serverName);
      const cluster: NatsCluster = { serverName, port: ports[index] ?? 0, ports, password };
      const start = async (born: (child: Child) => void): Promise<void> => {
        await startNatsServer(
          { ...deps, born: bornIn(deps, born) },
          {
            binary,
            folder: join(deps.data.path, serverName),
            port: clientPorts[index] ?? 0,
            uid: deps.block?.service,
            authorization,
            user: server,
            cluster,
            onLine,
          },
        );
      };
      input.keep(await keepAlive(serverName, start, deps.tell));
    }),
  );
  const url = clientPorts.map((port) => `nats://${HOST}:${port}`).join(",");
  return { nats: { url }, access: { url, user: server.name, password: server.password } };
}
