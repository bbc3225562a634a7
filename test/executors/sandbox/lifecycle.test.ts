import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { dropPrivileges, openSandbox, SandboxUnavailable } from "../../../src/executors/sandbox/native.ts";
import { binaryPath } from "../../support/binaries.ts";

/** Needs root to the end: opens no sandbox in this process but for what is refused. */

const PROBE = fileURLToPath(new URL("sleeperprobe.ts", import.meta.url));
const started: ChildProcess[] = [];
const folders: string[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill("SIGKILL");
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

interface Sleeper {
  readonly child: ChildProcess;
  readonly slotUid: number;
  readonly pid: number;
  readonly lines: AsyncIterator<string>;
}

async function startSleeper(executor: string): Promise<Sleeper> {
  const child = spawn(process.execPath, [PROBE, executor], { stdio: ["ignore", "pipe", "inherit"] });
  started.push(child);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first: unknown = JSON.parse(String((await lines.next()).value));
  const told = first as { slotUid: number; workDir: string; pid: number };
  folders.push(told.workDir);
  await until("its program runs", () => processesOf(told.slotUid).length >= 4);
  return { child, lines, ...told };
}

const statusOf = (pid: string): string => {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
};
const pids = (): string[] => readdirSync("/proc").filter((name) => /^\d+$/.test(name));
/** Processes under a uid that are not dead already. */
const processesOf = (uid: number): string[] =>
  pids().filter((pid) => {
    const status = statusOf(pid);
    return status.includes(`\nUid:\t${uid}\t`) && !/^State:\s+[ZX]/m.test(status);
  });
const childrenOf = (parent: number): string[] =>
  pids().filter((pid) => statusOf(pid).includes(`\nPPid:\t${parent}\n`));

/** Looks until it is so. Fails after ten seconds. */
async function until(what: string, isSo: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`not within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const groupsOf = (executor: string): string[] => {
  const found: string[] = [];
  const look = (dir: string, depth: number): void => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      if (!entry.isDirectory()) continue;
      if (entry.name === `docket-${executor}`) found.push(`${dir}/${entry.name}`);
      else if (depth > 0) look(`${dir}/${entry.name}`, depth - 1);
    }
  };
  look("/sys/fs/cgroup", 4);
  return found;
};

describe("nothing outlives", () => {
  it("an executor that is killed", async () => {
    const sleeper = await startSleeper(`killed-${process.pid}`);
    const launchers = childrenOf(sleeper.pid);
    expect(launchers).toHaveLength(1);
    sleeper.child.kill("SIGKILL");
    await until("its programs are gone", () => processesOf(sleeper.slotUid).length === 0);
    await until("its launcher is gone", () => launchers.every((pid) => statusOf(pid) === ""));
    await until("its control groups are gone", () => groupsOf(`killed-${process.pid}`).length === 0);
  });

  it("a launcher that is killed, and the run is a fault", async () => {
    const executor = `launcher-${process.pid}`;
    const sleeper = await startSleeper(executor);
    const [launcher] = childrenOf(sleeper.pid);
    process.kill(Number(launcher), "SIGKILL");
    await until("its programs are gone", () => processesOf(sleeper.slotUid).length === 0);
    expect(String((await sleeper.lines.next()).value)).toContain("launcher has gone");

    // Its groups stay behind: the next start under the same name removes them.
    expect(groupsOf(executor).length).toBeGreaterThan(0);
    const next = await startSleeper(executor);
    next.child.kill("SIGKILL");
    await until("all groups are gone", () => groupsOf(executor).length === 0);
  });

  it("the end of its executor's output", async () => {
    const sleeper = await startSleeper(`term-${process.pid}`);
    sleeper.child.kill("SIGTERM");
    await once(sleeper.child, "exit");
    await until("its programs are gone", () => processesOf(sleeper.slotUid).length === 0);
  });
});

describe("what cannot be sandboxed is refused in plain words", () => {
  const config = {
    executor: `refused-${process.pid}`,
    workDir: `/tmp/docket-refused-${process.pid}`,
    bwrap: binaryPath("bwrap"),
    uid: 63_000,
    slots: 1,
    slotUidBase: 63_001,
    mounts: [],
  };
  const refusal = async (more: Partial<typeof config>): Promise<string> => {
    folders.push(config.workDir);
    const error: unknown = await openSandbox({ ...config, ...more }).then(
      async (sandbox) => {
        await sandbox.close();
        return undefined;
      },
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(SandboxUnavailable);
    return String(error);
  };

  it("a bubblewrap that is not there", async () => {
    expect(await refusal({ bwrap: "/nowhere/bwrap" })).toContain("/nowhere/bwrap");
  });

  it("root as the executor, and a slot with the executor's uid", async () => {
    expect(await refusal({ uid: 0 })).toContain("uid");
    expect(await refusal({ slotUidBase: 63_000 })).toContain("slot");
  });

  it("a process that is not root, and a work folder that cannot be reached", async () => {
    const script = `const { openSandbox, dropPrivileges } = await import(${JSON.stringify(fileURLToPath(new URL("../../../src/executors/sandbox/native.ts", import.meta.url)))});
const { mkdirSync } = await import("node:fs");
mkdirSync("/tmp/docket-closed-${process.pid}/work", { recursive: true, mode: 0o700 });
try { dropPrivileges(63000, "/tmp/docket-closed-${process.pid}/work"); } catch (e) { console.log(e.message); }
try { await openSandbox(${JSON.stringify(config)}); } catch (e) { console.log(e.message); }`;
    folders.push(`/tmp/docket-closed-${process.pid}`);
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    await once(child, "close");
    const words = Buffer.concat(chunks).toString();
    expect(words).toMatch(/uid 63000 cannot reach the work folder/);
    expect(words).toMatch(/must be started as root/);
    expect(dropPrivileges).toBeTypeOf("function");
  });
});
