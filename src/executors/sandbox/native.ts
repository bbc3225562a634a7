import { spawn } from "node:child_process";
import { accessSync, chownSync, constants, mkdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { missingCapabilities } from "./capabilities.ts";
import { pidsIn, readNumber } from "./cgroup.ts";
import { parseCpuStat } from "./cgroupv2.ts";
import {
  type ReadOnlyMount,
  type RunRequest,
  type RunResult,
  type Sandbox,
  SandboxFault,
} from "./sandbox.ts";
import { runDelayMs } from "./walltime.ts";
import { FromLauncher, type LauncherConfig, type ToLauncher } from "./wire.ts";

export interface SandboxConfig {
  /** Names the control groups: unique among executors running on this machine. */
  readonly executor: string;
  /** Folder that holds every box, input and output of this executor. Made if missing; given to `uid`. */
  readonly workDir: string;
  /** bubblewrap, 0.8 or newer. */
  readonly bwrap: string;
  /** Uid and gid that the executor drops to. */
  readonly uid: number;
  readonly slots: number;
  /** Slot k runs its programs under uid and gid base + k. */
  readonly slotUidBase: number;
  /** Toolchains outside of /usr: shown read-only to every program. Can only be named here, while still root. */
  readonly mounts: readonly ReadOnlyMount[];
  /** Device files that every program may open as their own mode allows: of a pool with a device. */
  readonly devices?: readonly string[] | undefined;
  /** As cgroup v2 counts it: all programs together against everything else on the machine, which has 100. */
  readonly cpuWeight?: number | undefined;
  /** NODE_OPTIONS of the launcher, which is a Node process of its own. */
  readonly nodeOptions?: string | undefined;
}

/** Accounts of a running program, for those who measure parts of it. */
export interface Accounts {
  /** CPU time used so far, milliseconds. */
  cpuMs(): number;
  /** Memory in use now, KiB. */
  memoryKiB(): number;
  /** How long it has waited for a CPU (walltime.ts), milliseconds. */
  runDelayMs(): number;
  /** Gives the run another memory limit. */
  limitMemory(memoryKiB: number): Promise<void>;
}

export interface NativeSandbox extends Sandbox {
  readonly cgroup: "v1" | "v2";
  /** As `run`; calls `onStarted` once the program is on its way. */
  start(
    request: RunRequest,
    signal: AbortSignal,
    onStarted: (accounts: Accounts) => void,
  ): Promise<RunResult>;
  /** Settles when the launcher has gone; without `close` having been called that is a fault of ours. */
  readonly gone: Promise<void>;
  /** Kills what runs and ends the launcher. Safe twice. */
  close(): Promise<void>;
}

/** How Node is to run, as whoever starts the executor said; of our own environment it gets nothing else. */
const launcherEnvironment = ({ nodeOptions }: SandboxConfig): NodeJS.ProcessEnv => ({
  PATH: "/usr/sbin:/usr/bin:/sbin:/bin",
  ...(nodeOptions === undefined ? {} : { NODE_OPTIONS: nodeOptions }),
});

/** This machine cannot sandbox, in plain words. An executor must not start then. */
export class SandboxUnavailable extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SandboxUnavailable";
  }
}

/**
 * Starts the privileged launcher and waits until it is ready. Must be called as root, before `dropPrivileges`.
 * Throws SandboxUnavailable when this machine cannot sandbox: there is no unprotected way of running.
 */
export async function openSandbox(config: SandboxConfig): Promise<NativeSandbox> {
  if (process.getuid?.() !== 0) {
    throw new SandboxUnavailable(
      "an executor must be started as root: it needs control groups and a uid per slot",
    );
  }
  // Root of a container may lack any of them; found out later, some look like programs that fail, or hang.
  const missing = missingCapabilities(readFileSync("/proc/self/status", "utf8"));
  if (missing.length > 0) {
    throw new SandboxUnavailable(
      `root lacks capabilities that the sandbox needs (${missing.join(", ")}): in a container, add them with --cap-add, as docker/compose.yaml does`,
    );
  }
  mkdirSync(config.workDir, { recursive: true });
  chownSync(config.workDir, config.uid, config.uid);

  const child = spawn(
    "unshare",
    [
      "--mount",
      "--net",
      "--propagation=private",
      "--",
      process.execPath,
      fileURLToPath(new URL("launcher.ts", import.meta.url)),
    ],
    { stdio: ["pipe", "pipe", "inherit"], env: launcherEnvironment(config), cwd: "/" },
  );
  const pending = new Map<number, Pending>();
  const first = Promise.withResolvers<Extract<FromLauncher, { type: "ready" | "refused" }>>();
  let open = true;
  const gone = new Promise<void>((resolve) => {
    const end = (error?: Error): void => {
      const fault = new SandboxFault(
        "the sandbox's launcher has gone",
        error === undefined ? {} : { cause: error },
      );
      first.reject(fault);
      for (const { reject } of pending.values()) reject(fault);
      pending.clear();
      open = false;
      resolve();
    };
    child.once("close", () => end());
    child.once("error", end);
  });
  child.stdin.on("error", () => {});
  createInterface({ input: child.stdout }).on("line", (line) => {
    const message = FromLauncher.parse(JSON.parse(line));
    if (message.type === "ready" || message.type === "refused") first.resolve(message);
    else settle(pending, message);
  });

  const send = (message: ToLauncher | LauncherConfig): void => {
    child.stdin.write(`${JSON.stringify(message)}\n`);
  };
  const { executor, workDir, bwrap, uid, slots, slotUidBase, mounts, devices = [], cpuWeight = 100 } = config;
  // Two languages may need the same folder.
  const distinct = [...new Map(mounts.map((mount) => [mount.inside, mount])).values()];
  send({
    executor,
    workDir,
    bwrap,
    uid,
    slots,
    slotUidBase,
    cpuWeight,
    mounts: distinct,
    devices: [...devices],
  });
  const answer = await first.promise;
  if (answer.type === "refused") {
    await gone;
    throw new SandboxUnavailable(answer.message);
  }

  let lastId = 0;
  const parseCpu = answer.cgroup === "v1" ? Number : parseCpuStat;
  const ask = <Value>(make: (id: number) => ToLauncher, onStarted?: Pending["onStarted"]): Asked<Value> => {
    const id = ++lastId;
    const answered = new Promise<Value>((resolve, reject) => {
      if (!open) {
        reject(new SandboxFault("the sandbox's launcher has gone"));
        return;
      }
      pending.set(id, { resolve: resolve as (value: unknown) => void, reject, onStarted });
      send(make(id));
    });
    return { id, answered };
  };

  const start = async (
    request: RunRequest,
    signal: AbortSignal,
    onStarted?: (accounts: Accounts) => void,
  ): Promise<RunResult> => {
    if (signal.aborted) return { status: { type: "cancelled" }, cpuMs: 0, wallMs: 0, memoryKiB: 0 };
    const { id, answered }: Asked<RunResult> = ask<RunResult>(
      (runId) => ({
        type: "run",
        id: runId,
        request: {
          ...request,
          argv: [...request.argv],
          // What the prepared tree shows already cannot be asked for again, and need not be.
          mounts: request.mounts.filter((mount) => !isPrepared(config, mount)),
          env: { ...request.env },
          limits: wholeLimits(request.limits),
        },
      }),
      ({ cpuFile, memoryFile, procsFile }) =>
        onStarted?.({
          cpuMs: lastKnown(() => parseCpu(readFileSync(cpuFile, "utf8")) / 1e6),
          memoryKiB: lastKnown(() => Math.round(readNumber(memoryFile) / 1024)),
          runDelayMs: lastKnown(() => runDelayMs(pidsIn(procsFile))),
          limitMemory: (memoryKiB) =>
            ask<void>((limitId) => ({ type: "limit", id: limitId, run: id, memoryKiB: Math.ceil(memoryKiB) }))
              .answered,
        }),
    );
    const onAbort = (): void => send({ type: "cancel", id });
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      return await answered;
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  };

  return {
    cgroup: answer.cgroup,
    gone,
    run: (request, signal) => start(request, signal),
    start,
    remove: (path) => ask<void>((id) => ({ type: "remove", id, path })).answered,
    async close() {
      child.stdin.end();
      await gone;
    },
  };
}

/** Accounts of a run that has just ended are gone with its group: then what was read last stands. */
function lastKnown(read: () => number): () => number {
  let last = 0;
  return () => {
    try {
      last = read();
    } catch {
      // Ended since.
    }
    return last;
  };
}

const isPrepared = ({ mounts }: SandboxConfig, mount: ReadOnlyMount): boolean =>
  mounts.some(({ host, inside }) => host === mount.host && inside === mount.inside);

interface Asked<Value> {
  readonly id: number;
  readonly answered: Promise<Value>;
}

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly onStarted: ((files: Extract<FromLauncher, { type: "started" }>) => void) | undefined;
}

type Answer = Exclude<FromLauncher, { type: "ready" | "refused" }>;

function settle(pending: Map<number, Pending>, message: Answer): void {
  const asked = pending.get(message.id);
  if (asked === undefined) return;
  if (message.type === "started") {
    asked.onStarted?.(message);
    return;
  }
  pending.delete(message.id);
  if (message.type === "failed")
    asked.reject(new SandboxFault(message.message, { shared: message.shared === true }));
  else asked.resolve(message.type === "ended" ? message.result : undefined);
}

const wholeLimits = (limits: RunRequest["limits"]): RunRequest["limits"] => ({
  ...limits,
  memoryKiB: Math.ceil(limits.memoryKiB),
  outputKiB: Math.ceil(limits.outputKiB),
});

/**
 * Gives up root for the rest of the process's life, and makes sure that the work folder can still be reached.
 * Everything that root alone can read must have been read before.
 */
export function dropPrivileges(uid: number, workDir: string): void {
  const { setgroups, setgid, setuid, getuid } = process;
  if (setgroups === undefined || setgid === undefined || setuid === undefined || getuid === undefined) {
    throw new SandboxUnavailable("this platform has no user ids");
  }
  setgroups([]);
  setgid(uid);
  setuid(uid);
  if (getuid() !== uid) throw new SandboxUnavailable(`cannot become uid ${uid}`);
  try {
    accessSync(workDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new SandboxUnavailable(
      `uid ${uid} cannot reach the work folder ${workDir} (a folder above it is closed to others): ${String(error)}`,
    );
  }
}
