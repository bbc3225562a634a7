import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { type Backing, type BackingInput, bornIn, brokerUsers } from "./backing.ts";
import type { Child } from "./child.ts";
import type { StackDeps } from "./deps.ts";
import { derive } from "./identity.ts";
import { keepAlive } from "./keepalive.ts";
import { joinMembers, startMongod } from "./mongod.ts";
import { type NatsCluster, startNatsServer } from "./natsserver.ts";
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

async function startSet(deps: StackDeps, input: BackingInput): Promise<string> {
  const binary = await realpath(join(input.binFolder, "mongod"));
  const folderOf = (name: string): string => join(deps.data.path, name);
  const names = numbers.map((number) => `mongod-${number}`);
  await Promise.all(
    names.map(async (name) => {
      const onLine = await deps.logs.writer(name);
      const start = async (born: (child: Child) => void): Promise<void> => {
        await startMongod(
          { ...deps, born: bornIn(deps, born) },
          { binary, folder: folderOf(name), uid: deps.block?.service, member: true, onLine },
        );
      };
      input.keep(await keepAlive(name, start, deps.tell));
    }),
  );
  return await joinMembers(names.map(folderOf));
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
