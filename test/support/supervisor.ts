import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./processes.ts";

const ROOT = join(import.meta.dirname, "../..");

/** `npm start` or `npm run demo` as a process of its own, on a data folder and a free port of its own. */
export interface Supervisor {
  readonly pid: number;
  readonly dataFolder: string;
  /** All that it has written so far. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit code, or the signal's name. */
  readonly exited: Promise<number | NodeJS.Signals>;
  /** Waits until it is up; throws with its output when it ends before. */
  up(): Promise<RunningStack>;
}

export interface RunningStack {
  readonly url: string;
  /** Of the supervisor itself, which npm's process has started. */
  readonly pid: number;
  readonly keys: { readonly participant: string; readonly jury: string; readonly admin: string };
}

/** One small pool: what is tested here is the supervisor, not every toolchain. */
const POOLS = [{ name: "scripts", languages: ["python", "javascript"], executors: 1, slots: 2 }];

/** A temporary data folder with a pool configuration beside it; `remove` it afterwards. */
export async function makeHome(): Promise<{
  folder: string;
  env: NodeJS.ProcessEnv;
  remove(): Promise<void>;
}> {
  const folder = await mkdtemp(join(tmpdir(), "docket-home-"));
  // mongod and executors reach their folders in it under users of their own.
  await chmod(folder, 0o755);
  const config = join(folder, "pools.json");
  await writeFile(config, JSON.stringify({ pools: POOLS }));
  return {
    folder,
    env: {
      ...process.env,
      DOCKET_DATA: join(folder, "data"),
      DOCKET_CONFIG: config,
      DOCKET_PORT: "0",
      NO_COLOR: "1",
    },
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** Runs the very command that npm runs. `wrap`: a command in front of it, e.g. one that drops a right. `root`: the checkout. */
export function startSupervisor(
  mode: "start" | "demo",
  env: NodeJS.ProcessEnv,
  wrap: readonly string[] = [],
  root: string = ROOT,
): Supervisor {
  const [command, ...args] = [...wrap, "node", join(root, "setup/run.mjs"), "src/supervisor/main.ts", mode];
  // A group of its own, as a shell gives it: signals can be sent to the whole of it.
  const child: ChildProcess = spawn(command ?? "node", args, {
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  child.on("error", (error) => keep(Buffer.from(String(error))));
  let ended = false;
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once("close", (code, signal) => {
      ended = true;
      resolve(code ?? signal ?? 1);
    });
  });
  const dataFolder = env["DOCKET_DATA"] ?? "";
  return {
    pid: child.pid ?? 0,
    dataFolder,
    output: () => output,
    kill: (signal) => void child.kill(signal),
    exited,
    up: async () => {
      await until(
        "the stack is up",
        () => {
          if (ended) throw new Error(`it ended:\n${output}`);
          return output.includes("Ctrl-C stops everything");
        },
        120_000,
      );
      return JSON.parse(await readFile(join(dataFolder, "stack.json"), "utf8")) as RunningStack;
    },
  };
}
