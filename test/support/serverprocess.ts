import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { afterAll } from "vitest";

const MAIN = new URL("../../src/server/main.ts", import.meta.url).pathname;

/** A server as `node src/server/main.ts` starts it, to be stopped and killed. */
export interface ServerProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly url: string;
  /** All that it has logged so far. */
  log(): string;
  kill(signal: NodeJS.Signals): void;
  /** Its exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>;
}

export interface ServerProcessInput {
  readonly mongodbUrl: string;
  readonly natsUrl: string;
  readonly database: string;
  readonly topology: { readonly prefix: string };
}

/** Signs the capabilities of all servers that tests start. */
export const PROCESS_SECRET = "a secret of at least thirty-two characters";

const living = new Set<ServerProcess>();

/** Starts a server and resolves when it is ready; it ends with the test file at the latest. */
export async function startServerProcess(
  input: ServerProcessInput,
  more: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const child = spawn(process.execPath, [MAIN], {
    env: {
      PATH: process.env["PATH"] ?? "",
      MONGODB_URL: input.mongodbUrl,
      MONGODB_DATABASE: input.database,
      NATS_URL: input.natsUrl,
      DOCKET_TOPOLOGY_PREFIX: input.topology.prefix,
      DOCKET_PORT: "0",
      DOCKET_CAPABILITY_SECRET: PROCESS_SECRET,
      DOCKET_LOG_LEVEL: "warn",
      ...more,
    },
  });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? signal ?? 1));
  });
  const ready = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).once("line", resolve);
  });
  const line = await Promise.race([ready, exited]);
  if (typeof line !== "string" || !line.startsWith("{")) throw new Error(`ended with ${line}: ${log}`);
  const { url } = JSON.parse(line) as { url: string };
  const server: ServerProcess = {
    child,
    url,
    log: () => log,
    kill: (signal) => void child.kill(signal),
    exited,
  };
  living.add(server);
  void exited.then(() => living.delete(server));
  return server;
}

afterAll(async () => {
  const left = [...living];
  for (const server of left) server.kill("SIGKILL");
  await Promise.all(left.map((server) => server.exited));
});
