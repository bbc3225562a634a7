import { mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SandboxFault } from "../../../src/executors/sandbox/sandbox.ts";
import { LIMITS, openTestSandbox, SLOT_UID_BASE, type TestSandbox, UID } from "./harness.ts";

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await openTestSandbox({
    prepare: () => {
      mkdirSync("/tmp/docket-outside", { recursive: true });
      writeFileSync("/tmp/docket-outside/secret", "secret");
    },
  });
});
afterAll(async () => {
  await sandbox.close();
});

describe("a run", () => {
  it("reads its input, writes its output and exits with a code", async () => {
    const stdin = join(sandbox.workDir, "in");
    writeFileSync(stdin, "20 22\n");
    const told = await sandbox.python("import sys\nprint(sum(map(int, input().split())))\nsys.exit(7)", {
      stdin,
    });
    expect(told).toMatchObject({ status: { type: "exited", code: 7 }, stdout: "42\n" });
    expect(told.cpuMs).toBeGreaterThan(1);
    expect(told.wallMs).toBeGreaterThan(1);
    expect(told.memoryKiB).toBeGreaterThan(500);
  });

  it("is under the slot's uid, with no capability and no way to more", async () => {
    const told = await sandbox.python(
      "import os\nprint(os.getuid(), os.getgid(), os.getgroups(), os.listdir('/proc/self/fd'))\nprint(open('/proc/self/status').read())",
      { slot: 1 },
    );
    expect(told.stdout).toContain(`${SLOT_UID_BASE + 1} ${SLOT_UID_BASE + 1} [] ['0', '1', '2', '3']`);
    expect(told.stdout).toMatch(/CapEff:\s+0+\n/);
    expect(told.stdout).toMatch(/CapBnd:\s+0+\n/);
    expect(told.stdout).toMatch(/NoNewPrivs:\s+1\n/);
    expect(told.stdout).toMatch(/Seccomp:\s+2\n/);
  });

  it("says which signal ended the program", async () => {
    expect(await sandbox.c("int main(void){ *(volatile int *)0 = 1; }")).toMatchObject({
      status: { type: "signalled", signal: "SIGSEGV" },
    });
    expect(await sandbox.c("#include <stdlib.h>\nint main(void){ abort(); }")).toMatchObject({
      status: { type: "signalled", signal: "SIGABRT" },
    });
  });

  it("counts the CPU time of children and threads", async () => {
    const burn =
      "import time\ndef burn():\n  end = time.process_time() + 0.25\n  while time.process_time() < end: pass\n";
    const told = await sandbox.python(
      `${burn}import os\nfor _ in range(2):\n  if os.fork() == 0:\n    burn()\n    os._exit(0)\nos.wait(); os.wait()`,
      { limits: { ...LIMITS, wallMs: 30_000 } },
    );
    expect(told.status).toEqual({ type: "exited", code: 0 });
    expect(told.cpuMs).toBeGreaterThan(450);
    expect(told.cpuMs).toBeLessThan(900);
  });

  it("measures memory, touched pages only", async () => {
    const told = await sandbox.c(
      "#include <stdlib.h>\n#include <string.h>\nint main(void){ char *p = malloc(1u << 30); memset(p, 1, 32 << 20); return ((volatile char *)p)[5] - 1; }",
    );
    expect(told.status).toEqual({ type: "exited", code: 0 });
    expect(told.memoryKiB).toBeGreaterThan(32 * 1024);
    expect(told.memoryKiB).toBeLessThan(40 * 1024);
  });

  it("gives a program that recurses deeply the stack for it", async () => {
    const told = await sandbox.c(
      '#include <stdio.h>\nlong f(long n){ volatile char pad[64]; pad[0] = 1; return n ? f(n - 1) + pad[0] : 0; }\nint main(void){ printf("%ld\\n", f(300000)); }',
    );
    expect(told).toMatchObject({ status: { type: "exited", code: 0 }, stdout: "300000\n" });
  });

  it("lets output of just the limit pass", async () => {
    const told = await sandbox.python(`print("x" * (${LIMITS.outputKiB} * 1024 - 1))`);
    expect(told.status).toEqual({ type: "exited", code: 0 });
  });

  it("shows files at /data and a writable folder at /feedback", async () => {
    const answer = join(sandbox.workDir, "answer");
    writeFileSync(answer, "the answer");
    const feedback = join(sandbox.workDir, "feedback");
    mkdirSync(feedback);
    const { chmodSync } = await import("node:fs");
    chmodSync(feedback, 0o777);
    const told = await sandbox.python(
      "open('/feedback/note', 'w').write(open('/data/answer').read())\ntry: open('/data/answer', 'w')\nexcept OSError as e: print(e.strerror)",
      {
        mounts: [{ host: answer, inside: "/data/answer" }],
        scratch: { host: feedback, inside: "/feedback" },
      },
    );
    expect(told).toMatchObject({ status: { type: "exited", code: 0 }, stdout: "Read-only file system\n" });
    expect(readFileSync(join(feedback, "note"), "utf8")).toBe("the answer");
  });

  it("writes to /box only when told so, and what it leaves can be removed", async () => {
    const source =
      "import os\nos.makedirs('a/b/c', mode=0o700)\nopen('a/b/c/file', 'w').write('x')\nos.symlink('/etc', 'a/link')\nos.chmod('a/b', 0)";
    expect((await sandbox.python(source)).status).toEqual({ type: "exited", code: 1 });
    const box = sandbox.box({ "main.py": source });
    expect((await sandbox.python(source, { box, boxWritable: true })).status).toEqual({
      type: "exited",
      code: 0,
    });
    expect(statSync(join(box, "a")).uid).toBe(SLOT_UID_BASE);
    await sandbox.native.remove(box);
    expect(() => statSync(box)).toThrow(/ENOENT/);
    await sandbox.native.remove(box);
  });

  it("removes a tree of any depth and with any names", async () => {
    const box = sandbox.box({});
    const told = await sandbox.python(
      "import os\nfor i in range(3000):\n  os.mkdir('d'); os.chdir('d')\nopen(b'\\xff\\xfe', 'w').close()",
      { box: sandbox.box({}), argv: ["/usr/bin/python3"] },
    );
    expect(told.status.type).toBe("exited");
    const deep = await sandbox.run({
      argv: [
        "/usr/bin/python3",
        "-c",
        "import os\nfor i in range(3000):\n  os.mkdir('d'); os.chdir('d')\nopen(b'\\xff\\xfe', 'w').close()",
      ],
      box,
      boxWritable: true,
      limits: { ...LIMITS, cpuMs: 5_000 },
    });
    expect(deep.status).toEqual({ type: "exited", code: 0 });
    await sandbox.native.remove(box);
    expect(() => statSync(box)).toThrow(/ENOENT/);
  });
});

describe("cancelling", () => {
  it.each([
    ["a sleeper", "import time\ntime.sleep(60)"],
    ["a loop", "while True: pass"],
    ["a stopped one", "import os\nos.kill(os.getpid(), 19)"],
  ])("kills %s within 100 ms", async (_, source) => {
    const times: number[] = [];
    // The machine may be busy with other tests: one of ten must show what it takes.
    for (let i = 0; i < 10 && !times.some((ms) => ms < 100); i++) {
      const controller = new AbortController();
      const running = sandbox.run(
        {
          argv: ["/usr/bin/python3", "main.py"],
          box: sandbox.box({ "main.py": source }),
          limits: { ...LIMITS, cpuMs: 60_000, wallMs: 60_000 },
        },
        controller.signal,
      );
      await new Promise((resolve) => setTimeout(resolve, 100));
      const at = performance.now();
      controller.abort();
      expect((await running).status).toEqual({ type: "cancelled" });
      times.push(performance.now() - at);
    }
    expect(Math.min(...times)).toBeLessThan(100);
  });

  it("before the start runs nothing", async () => {
    const told = await sandbox.run({ argv: ["/bin/true"] }, AbortSignal.abort());
    expect(told.status).toEqual({ type: "cancelled" });
  });
});

describe("the launcher trusts no path", () => {
  const refused = async (request: Parameters<TestSandbox["run"]>[0]): Promise<void> => {
    await expect(sandbox.run(request)).rejects.toThrow(SandboxFault);
  };

  it("outside of the work folder", async () => {
    const argv = ["/bin/true"] as const;
    await refused({ argv, box: "/tmp/docket-outside" });
    await refused({ argv, box: `${sandbox.workDir}/../docket-outside` });
    await refused({ argv, stdin: "/etc/shadow" });
    await refused({ argv, stdout: "/tmp/docket-outside/new" });
    await refused({ argv, mounts: [{ host: "/etc", inside: "/data/etc" }] });
    await refused({ argv, scratch: { host: "/tmp/docket-outside", inside: "/feedback" } });
    await expect(sandbox.native.remove("/tmp/docket-outside")).rejects.toThrow(SandboxFault);
  });

  it("through links that the executor made", async () => {
    const argv = ["/bin/true"] as const;
    const link = (name: string, to: string): string => {
      const path = join(sandbox.workDir, name);
      symlinkSync(to, path);
      return path;
    };
    await refused({ argv, box: link("link-box", "/tmp/docket-outside") });
    await refused({ argv, stdin: link("link-in", "/etc/shadow") });
    await refused({ argv, stdout: link("link-out", "/tmp/docket-outside/secret") });
    await refused({ argv, stdout: join(link("link-folder", "/tmp/docket-outside"), "new") });
    await expect(sandbox.native.remove(join(sandbox.workDir, "link-folder", "x"))).rejects.toThrow(
      SandboxFault,
    );
    await expect(sandbox.native.remove(join(sandbox.workDir, "link-folder"))).rejects.toThrow(SandboxFault);
    expect(readFileSync("/tmp/docket-outside/secret", "utf8")).toBe("secret");
  });

  it("nor places in the tree, nor variables that the loader reads, nor slots that are not there", async () => {
    const argv = ["/bin/true"] as const;
    const host = sandbox.box({});
    await refused({ argv, mounts: [{ host, inside: "/usr/bin" }] });
    await refused({ argv, mounts: [{ host, inside: "/data/../usr" }] });
    await refused({ argv, env: { LD_PRELOAD: "/box/evil.so" } });
    await refused({ argv, env: { GLIBC_TUNABLES: "x" } });
    await refused({ argv, slot: 9 });
    await refused({ argv: ["/bin/true", "\0"] });
  });

  it("and the executor itself is no longer root", () => {
    expect(process.getuid?.()).toBe(UID);
    expect(() => process.setuid?.(0)).toThrow(/EPERM/);
  });
});
