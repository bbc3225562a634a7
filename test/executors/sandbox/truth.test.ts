import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SandboxFault } from "../../../src/executors/sandbox/sandbox.ts";
import { runDelayMs } from "../../../src/executors/sandbox/walltime.ts";
import { LIMITS, openTestSandbox, type TestSandbox } from "./harness.ts";
import { openRootShell, type RootShell } from "./rootshell.ts";

/** What the program did, and what only happened to it: the second is a fault and never how the program ended. */

const EXECUTOR = `truth-${process.pid}`;
let root: RootShell;
let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await openTestSandbox({
    executor: EXECUTOR,
    prepare: () => {
      root = openRootShell();
    },
  });
});
afterAll(async () => {
  await sandbox.close();
  await root.close();
});

function executable(content: string): string {
  const box = sandbox.box({ program: content });
  chmodSync(join(box, "program"), 0o755);
  return box;
}

describe("a program that cannot be started is told from one that ends so", () => {
  it.each([1, 125, 126, 127, 128])("exit code %d of its own", async (code) => {
    expect((await sandbox.python(`import os; os._exit(${code})`)).status).toEqual({ type: "exited", code });
  });

  it.each([
    ["that is not there", "/box/nothing", /\/box\/nothing cannot be started: ENOENT/],
    ["of a toolchain that has gone", "/usr/bin/gcc-0", /\/usr\/bin\/gcc-0 cannot be started: ENOENT/],
    ["that may not be run", "/etc/passwd", /\/etc\/passwd cannot be started: EACCES/],
    ["that is a folder", "/usr/bin", /\/usr\/bin cannot be started: EACCES/],
  ] as const)("one %s is a fault", async (_, program, message) => {
    const running = sandbox.run({ argv: [program, "argument"] });
    await expect(running).rejects.toThrow(SandboxFault);
    await expect(running).rejects.toThrow(message);
  });

  it("a file of the box that is no program is the box's own", async () => {
    const status = { type: "exited", code: 126 };
    expect(await sandbox.run({ argv: ["/box/program"], box: executable("no program\n") })).toMatchObject({
      status,
    });
    expect(await sandbox.run({ argv: ["/box/program"], box: executable("") })).toMatchObject({ status });
    const box = sandbox.box({ "main.c": "int main(void){ return 0; }" });
    const flags = ["-o", "program", "-Wl,--dynamic-linker=/nowhere/ld.so"];
    const limits = { ...LIMITS, cpuMs: 10_000, wallMs: 30_000, memoryKiB: 512 * 1024, outputKiB: 65_536 };
    const compiled = await sandbox.run({
      argv: ["/usr/bin/gcc", ...flags, "main.c"],
      box,
      boxWritable: true,
      limits,
    });
    expect(compiled.status).toEqual({ type: "exited", code: 0 });
    expect(await sandbox.run({ argv: ["/box/program"], box })).toMatchObject({ status });
  });

  it("too many arguments for the kernel are a fault", async () => {
    const running = sandbox.run({ argv: ["/bin/true", "x".repeat(200_000)] });
    await expect(running).rejects.toThrow(/\/bin\/true cannot be started: E2BIG|Argument list too long/);
  });
});

/** The launcher is the child of this process that is a Node. */
const launcherPid = (): number => {
  const pid = readdirSync("/proc").find((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const isChild = readFileSync(`/proc/${name}/status`, "utf8").includes(`\nPPid:\t${process.pid}\n`);
      return isChild && readFileSync(`/proc/${name}/cmdline`, "utf8").includes("launcher.ts");
    } catch {
      return false;
    }
  });
  return Number(pid);
};

describe("time in which the machine could not run the program is not its own", () => {
  const sleepy = { ...LIMITS, cpuMs: 500, wallMs: 800 };

  it("a launcher that was stopped for longer than the wall limit", async () => {
    const running = sandbox.python("import time\ntime.sleep(0.2)\nprint('done')", { limits: sleepy });
    await root.run(`kill -STOP ${launcherPid()}; sleep 1.5; kill -CONT ${launcherPid()}`);
    const told = await running;
    expect(told).toMatchObject({ status: { type: "exited", code: 0 }, stdout: "done\n" });
    expect(told.wallMs).toBeLessThan(sleepy.wallMs);
  });

  it("a sleeper is caught after it all the same", async () => {
    const running = sandbox.python("import time\ntime.sleep(100)", { limits: sleepy });
    await root.run(`kill -STOP ${launcherPid()}; sleep 0.5; kill -CONT ${launcherPid()}`);
    expect((await running).status).toEqual({ type: "limit", limit: "wall" });
  });

  describe("on a machine where every CPU is fought for", () => {
    const spinners: ChildProcess[] = [];
    beforeAll(() => {
      for (let i = 0; i < 8; i++) spinners.push(spawn("/bin/sh", ["-c", "while :; do :; done"]));
    });
    afterAll(async () => {
      for (const spinner of spinners) {
        spinner.kill("SIGKILL");
        await once(spinner, "exit");
      }
    });

    it("the kernel says how long a process waited", async () => {
      const pids = spinners.map(({ pid }) => pid ?? 0);
      await expect.poll(() => runDelayMs(pids), { timeout: 20_000, interval: 20 }).toBeGreaterThan(100);
      expect(runDelayMs([])).toBe(0);
      expect(runDelayMs([2 ** 30])).toBe(0);
    });

    it("a program that needs less CPU time than it may is never over the wall limit", async () => {
      const running = sandbox.python("import time\nwhile time.process_time() < 0.4: pass\nprint('done')", {
        limits: { ...LIMITS, cpuMs: 2_000, wallMs: 420 },
      });
      // So busy a machine that it waits for most of its time may make a fault of it, never a verdict.
      const told = await running.catch((error: unknown) => error);
      if (told instanceof SandboxFault) expect(told.message).toContain("too busy");
      else expect(told).toMatchObject({ status: { type: "exited", code: 0 }, stdout: "done\n" });
    });

    it("a sleeper is caught", async () => {
      const told = await sandbox.python("import time\ntime.sleep(100)", { limits: sleepy });
      expect(told.status).toEqual({ type: "limit", limit: "wall" });
    });
  });
});

describe("processes", () => {
  const fork =
    "import os, sys, time\nfor i in range(6):\n  if os.fork() == 0: time.sleep(0.2); os._exit(0)\nprint('done')";
  const limits = { ...LIMITS, processes: 12 };

  it("that the machine has no room for are a fault", async () => {
    const file = `$(find /sys/fs/cgroup -path '*/docket-${EXECUTOR}/pids.max')`;
    await root.run(`echo 8 > ${file}`);
    try {
      await expect(sandbox.python(fork, { limits })).rejects.toThrow(/no room for more processes/);
    } finally {
      await root.run(`echo max > ${file}`);
    }
    expect(await sandbox.python(fork, { limits })).toMatchObject({ stdout: "done\n" });
  });

  it("beyond the program's own limit are the program's", async () => {
    const told = await sandbox.python(fork, { limits: { ...LIMITS, processes: 4 } });
    expect(told.status).toEqual({ type: "exited", code: 1 });
  });
});

describe("memory", () => {
  const eat = "a = []\nfor i in range(48): a.append(bytearray(b'x') * (1 << 20))\nprint('done')";

  it("that the machine has not got is a fault", async () => {
    const name = sandbox.native.cgroup === "v1" ? "memory.limit_in_bytes" : "memory.max";
    const file = `$(find /sys/fs/cgroup -path '*/docket-${EXECUTOR}/${name}')`;
    const limits = { ...LIMITS, cpuMs: 5_000, wallMs: 20_000 };
    await root.run(`echo 24M > ${file}`);
    try {
      await expect(sandbox.python(eat, { limits })).rejects.toThrow(/machine ran out of memory/);
    } finally {
      await root.run(`echo ${sandbox.native.cgroup === "v1" ? "-1" : "max"} > ${file}`);
    }
    expect(await sandbox.python(eat, { limits })).toMatchObject({ stdout: "done\n" });
  });

  it("over the program's own limit is the program's", async () => {
    const limits = { ...LIMITS, memoryKiB: 32 * 1024, cpuMs: 5_000, wallMs: 20_000 };
    expect((await sandbox.python(eat, { limits })).status).toEqual({ type: "limit", limit: "memory" });
  });
});

describe("standard input", () => {
  it("is opened only when it is a file or a pipe", async () => {
    const folder = join(sandbox.workDir, "inputs");
    mkdirSync(folder);
    const path = join(folder, "socket");
    const server = createServer().listen(path);
    await once(server, "listening");
    const link = join(folder, "link");
    writeFileSync(join(folder, "file"), "x");
    symlinkSync(join(folder, "file"), link);
    for (const stdin of [path, folder, link]) {
      await expect(sandbox.run({ argv: ["/bin/cat"], stdin })).rejects.toThrow(/is neither file nor pipe/);
    }
    server.close();
  });
});
