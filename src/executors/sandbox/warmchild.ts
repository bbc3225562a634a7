import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { constants, openSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { Socket } from "node:net";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { type Frame, readFrames } from "./isolateframes.ts";
import type { Accounts, NativeSandbox } from "./native.ts";
import { type ReadOnlyMount, type RunResult, SandboxFault } from "./sandbox.ts";

const NODE_INSIDE = "/opt/node/bin/node";
const FOLDER_INSIDE = "/opt/isolate";
const WEEK_MS = 7 * 24 * 3_600_000;
/** Until a test's own limit is set. */
const START_MEMORY_KIB = 512 * 1024;

/** What a child needs to see; to be given to `openSandbox`. */
export function isolateMounts(node: string): readonly ReadOnlyMount[] {
  const require = createRequire(import.meta.url);
  const isolatedVm = dirname(require.resolve("isolated-vm/package.json"));
  const loader = dirname(
    createRequire(join(isolatedVm, "package.json")).resolve("node-gyp-build/package.json"),
  );
  return [
    { host: node, inside: NODE_INSIDE },
    { host: import.meta.dirname, inside: `${FOLDER_INSIDE}/sandbox` },
    { host: isolatedVm, inside: `${FOLDER_INSIDE}/node_modules/isolated-vm` },
    { host: loader, inside: `${FOLDER_INSIDE}/node_modules/node-gyp-build` },
  ];
}

/** A Node process inside the native sandbox that runs one test after the other, each in a fresh isolate. */
export interface WarmChild {
  readonly accounts: Accounts;
  /** Memory of the process itself before its first test, KiB: not the program's. */
  readonly baseKiB: number;
  /** How the process ended; for a child that was killed, `cancelled`. */
  readonly ended: Promise<RunResult>;
  readonly dead: boolean;
  onFrame: ((frame: Frame) => void) | undefined;
  send(parts: readonly (string | Buffer)[]): void;
  /** Resolves when it can take a test. */
  ready(): Promise<void>;
  /** Resolves when no process of it is left. */
  kill(): Promise<void>;
  /** As `kill`; resolves when its folder has gone too. */
  dispose(): Promise<void>;
}

/** Starts a child and waits until it can take a test. Throws SandboxFault when it cannot be started. */
export async function startWarmChild(
  deps: { readonly native: NativeSandbox; readonly workDir: string },
  slot: number,
): Promise<WarmChild> {
  const { native } = deps;
  const folder = join(deps.workDir, "isolates", randomUUID());
  const box = join(folder, "box");
  await mkdir(box, { recursive: true });
  const toChild = join(folder, "in");
  const fromChild = join(folder, "out");
  await promisify(execFile)("mkfifo", ["-m", "600", toChild, fromChild]);
  // Both ways, so that opening waits for nobody and no end of file comes between.
  const flags = constants.O_RDWR | constants.O_NONBLOCK;
  const writer = new Socket({ fd: openSync(toChild, flags), readable: false, writable: true });
  const reader = new Socket({ fd: openSync(fromChild, flags), readable: true, writable: false });
  for (const socket of [writer, reader]) socket.on("error", () => {});

  const controller = new AbortController();
  const started = Promise.withResolvers<Accounts>();
  let dead = false;
  const ended = (async () => {
    try {
      return await native.start(
        {
          slot,
          argv: [
            NODE_INSIDE,
            "--stack-size=65500",
            "--no-warnings",
            `${FOLDER_INSIDE}/sandbox/isolate-child.ts`,
          ],
          env: { PATH: "/usr/bin:/bin", HOME: "/tmp", LANG: "C.UTF-8" },
          box,
          boxWritable: false,
          mounts: [],
          stdin: toChild,
          stdout: fromChild,
          stderr: join(folder, "err"),
          limits: {
            cpuMs: WEEK_MS,
            wallMs: WEEK_MS,
            memoryKiB: START_MEMORY_KIB,
            outputKiB: 1024,
            processes: 64,
          },
        },
        controller.signal,
        started.resolve,
      );
    } finally {
      dead = true;
      writer.destroy();
      reader.destroy();
    }
  })();
  const cleanUp = async (): Promise<void> => {
    await ended.catch(() => {});
    // A folder that stays is removed with all others at the next start.
    await native.remove(folder).catch(() => {});
  };
  const cleaned = cleanUp();
  let isReady = Promise.withResolvers<void>();
  const fail = (): void => {
    const fault = new SandboxFault("the isolate child did not start");
    started.reject(fault);
    isReady.reject(fault);
  };
  isReady.promise.catch(() => {});
  ended.then(fail, fail);

  const child: WarmChild & { baseKiB: number } = {
    accounts: {
      cpuMs: () => 0,
      memoryKiB: () => 0,
      runDelayMs: () => 0,
      limitMemory: () => Promise.resolve(),
    },
    baseKiB: 0,
    ended,
    get dead() {
      return dead;
    },
    onFrame: undefined,
    send(parts) {
      isReady = Promise.withResolvers();
      isReady.promise.catch(() => {});
      for (const part of parts) writer.write(part);
    },
    ready: () => isReady.promise,
    async kill() {
      controller.abort();
      await ended.catch(() => {});
    },
    async dispose() {
      controller.abort();
      await cleaned;
    },
  };
  reader.on(
    "data",
    readFrames(
      (frame) => {
        if (frame.type === "R") isReady.resolve();
        else child.onFrame?.(frame);
      },
      () => controller.abort(),
    ),
  );
  const accounts = await started.promise;
  await child.ready();
  return Object.assign(child, { accounts, baseKiB: accounts.memoryKiB() });
}
