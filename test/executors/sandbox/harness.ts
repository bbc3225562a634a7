import { randomInt } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { dropPrivileges, type NativeSandbox, openSandbox } from "../../../src/executors/sandbox/native.ts";
import type {
  ReadOnlyMount,
  RunLimits,
  RunRequest,
  RunResult,
  Sandbox,
} from "../../../src/executors/sandbox/sandbox.ts";
import { binaryPath } from "../../support/binaries.ts";

/** Test files run at the same time: each has uids of its own. */
export const UID = 1_000_000 + (process.pid % 1_000_000) * 10;
export const SLOT_UID_BASE = UID + 1;
export const SLOTS = 2;

export const LIMITS: RunLimits = {
  cpuMs: 1_000,
  wallMs: 3_000,
  memoryKiB: 64 * 1024,
  outputKiB: 256,
  processes: 16,
};

/** Enough for an interpreter on a busy machine. */
export const ROOMY: RunLimits = { ...LIMITS, cpuMs: 5_000, wallMs: 20_000 };

export interface Told extends RunResult {
  readonly stdout: string;
  readonly stderr: string;
}

export interface TestSandbox {
  readonly native: NativeSandbox;
  readonly workDir: string;
  /** A new box with these files, owned by the executor. */
  box(files: Readonly<Record<string, string>>): string;
  /** Runs with small limits and /box read-only unless told otherwise. */
  run(request: Partial<RunRequest> & Pick<RunRequest, "argv">, signal?: AbortSignal): Promise<Told>;
  python(source: string, more?: Partial<RunRequest>): Promise<Told>;
  /** Compiles with gcc in the sandbox, then runs. */
  c(source: string, more?: Partial<RunRequest>): Promise<Told>;
  close(): Promise<void>;
}

/**
 * A native sandbox whose executor has really given up root: a test file that opens one must not need root afterwards.
 * `prepare` is called before, still as root.
 */
export async function openTestSandbox(
  options: {
    readonly mounts?: readonly ReadOnlyMount[];
    readonly executor?: string;
    readonly prepare?: () => void;
  } = {},
): Promise<TestSandbox> {
  options.prepare?.();
  const workDir = realpathSync(mkdtempSync(join(tmpdir(), "docket-sandbox-")));
  const native = await openSandbox({
    executor: options.executor ?? `test-${process.pid}-${randomInt(1e9)}`,
    workDir,
    bwrap: binaryPath("bwrap"),
    uid: UID,
    slots: SLOTS,
    slotUidBase: SLOT_UID_BASE,
    mounts: options.mounts ?? [],
  });
  dropPrivileges(UID, workDir);
  return toolsFor(native, native, workDir);
}

let made = 0;

export function toolsFor(sandbox: Sandbox, native: NativeSandbox, workDir: string): TestSandbox {
  const box = (files: Readonly<Record<string, string>>): string => {
    const path = join(workDir, `box-${++made}`);
    mkdirSync(path);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
    return path;
  };
  const run: TestSandbox["run"] = async (request, signal = new AbortController().signal) => {
    const stdout = join(workDir, `out-${++made}`);
    const stderr = join(workDir, `err-${made}`);
    const result = await sandbox.run(
      {
        slot: 0,
        env: { PATH: "/usr/bin:/bin" },
        box: request.box ?? box({}),
        boxWritable: false,
        mounts: [],
        stdin: null,
        stdout,
        stderr,
        limits: LIMITS,
        ...request,
      },
      signal,
    );
    const told = { ...result, stdout: head(stdout), stderr: head(stderr) };
    for (const path of [stdout, stderr]) rmSync(path, { force: true });
    return told;
  };
  return {
    native,
    workDir,
    box,
    run,
    python: (source, more = {}) =>
      run({ box: box({ "main.py": source }), ...more, argv: ["/usr/bin/python3", "main.py"] }),
    async c(source, more = {}) {
      const folder = box({ "main.c": source });
      const compiled = await run({
        argv: ["/usr/bin/gcc", "-O1", "-pthread", "-o", "program", "main.c"],
        box: folder,
        boxWritable: true,
        limits: {
          ...LIMITS,
          cpuMs: 10_000,
          wallMs: 30_000,
          memoryKiB: 512 * 1024,
          outputKiB: 65_536,
          processes: 64,
        },
      });
      if (compiled.status.type !== "exited" || compiled.status.code !== 0) throw new Error(compiled.stderr);
      return await run({ box: folder, ...more, argv: ["/box/program"] });
    },
    async close() {
      await native.close();
      rmSync(workDir, { recursive: true, force: true });
    },
  };
}

/** Processes on this machine under a slot's uid. */
function slotProcesses(): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const uid = Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/status`, "utf8"))?.[1]);
      return uid >= SLOT_UID_BASE && uid < SLOT_UID_BASE + SLOTS;
    } catch {
      return false;
    }
  });
}

/** What the next job on the same slot meets. */
export async function expectUnharmed(sandbox: TestSandbox): Promise<void> {
  expect(slotProcesses()).toEqual([]);
  const told = await sandbox.python(
    "import os\nprint(len([p for p in os.listdir('/proc') if p.isdigit()]), os.listdir('/tmp'), os.listdir('/box'))",
    { limits: ROOMY },
  );
  expect(told).toMatchObject({ status: { type: "exited", code: 0 }, stdout: "2 [] ['main.py']\n" });
}

function head(path: string): string {
  try {
    return readFileSync(path).subarray(0, 100_000).toString();
  } catch {
    return "";
  }
}
