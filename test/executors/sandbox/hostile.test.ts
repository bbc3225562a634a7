import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunStatus } from "../../../src/executors/sandbox/sandbox.ts";
import { expectUnharmed, LIMITS, openTestSandbox, ROOMY as roomy, type TestSandbox } from "./harness.ts";

/**
 * Programs that mean harm to the machine's resources. Each must end with the status that a judge can tell the truth
 * from, and leave nothing that the next run could meet.
 */

let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await openTestSandbox();
});
afterAll(async () => {
  await sandbox.close();
});

/** The machine may be busy: what spins gets the wall time for its CPU time. */
const spinning = { ...LIMITS, cpuMs: 300, wallMs: 20_000 };
const sleeping = { ...LIMITS, cpuMs: 5_000, wallMs: 1_000 };

const cpu: RunStatus = { type: "limit", limit: "cpu" };
const wall: RunStatus = { type: "limit", limit: "wall" };
const memory: RunStatus = { type: "limit", limit: "memory" };
const output: RunStatus = { type: "limit", limit: "output" };
const fine: RunStatus = { type: "exited", code: 0 };

describe("limits", () => {
  const PYTHON: readonly (readonly [
    name: string,
    source: string,
    limits: typeof LIMITS,
    status: RunStatus,
  ])[] = [
    ["endless loop", "while True: pass", spinning, cpu],
    [
      "endless loop in a child",
      "import os\nif os.fork() == 0:\n  while True: pass\nos.wait()",
      spinning,
      cpu,
    ],
    ["sleep", "import time\ntime.sleep(100)", sleeping, wall],
    ["waiting for input that does not come", "import os\nr, w = os.pipe()\nos.read(r, 1)", sleeping, wall],
    ["SIGSTOP to itself", "import os\nos.kill(os.getpid(), 19)", sleeping, wall],
    [
      "SIGSTOP to all",
      "import os\nif os.fork() == 0:\n  while True: pass\nos.kill(-1, 19)\nos.kill(os.getpid(), 19)",
      sleeping,
      wall,
    ],
    [
      "ignoring every signal",
      "import signal\nfor s in range(1, 65):\n  try: signal.signal(s, signal.SIG_IGN)\n  except Exception: pass\nwhile True: pass",
      spinning,
      cpu,
    ],
    ["memory", "a = []\nwhile True: a.append(bytearray(1 << 20))", roomy, memory],
    [
      "memory of a child while the parent exits well",
      "import os\nif os.fork() == 0:\n  a = []\n  while True: a.append(bytearray(1 << 20))\nos.wait()",
      roomy,
      memory,
    ],
    [
      "memory in many children",
      "import os, time\nfor i in range(10):\n  if os.fork() == 0:\n    a = bytearray(b'x') * (10 << 20)\n    time.sleep(5)\n    os._exit(0)\ntime.sleep(5)",
      roomy,
      memory,
    ],
    [
      "files in /tmp",
      "f = open('/tmp/fill', 'wb')\nb = b'x' * (128 << 10)\nn = 0\nwhile True:\n  f.write(b); f.flush(); n += 1\n  if n % 2 == 0: f = open('/tmp/fill%d' % n, 'wb')",
      roomy,
      memory,
    ],
    [
      "shared memory files",
      "f = open('/dev/shm/fill', 'wb')\nn = 0\nwhile True:\n  f.write(b'x' * (128 << 10)); f.flush(); n += 1\n  if n % 2 == 0: f = open('/dev/shm/fill%d' % n, 'wb')",
      roomy,
      memory,
    ],
    ["output", "while True: print('x' * 1000)", roomy, output],
    [
      "output that goes on after the first error",
      "import os\nwhile True:\n  try: os.write(1, b'x' * 10000)\n  except OSError: break",
      roomy,
      output,
    ],
    ["error output", "import sys\nwhile True: sys.stderr.write('x' * 1000)", roomy, output],
    [
      "output by a child",
      "import os\nif os.fork() == 0:\n  while True: os.write(1, b'x' * 10000)\nos.wait()",
      roomy,
      output,
    ],
  ];
  it.each(PYTHON)("%s", async (_, source, limits, status) => {
    const told = await sandbox.python(source, { limits });
    expect(told.status).toEqual(status);
    if (status === cpu) expect(told.cpuMs).toBeLessThan(limits.cpuMs + 200);
    await expectUnharmed(sandbox);
  });

  it("a memory bomb in C, quicker than any polling", async () => {
    const told = await sandbox.c(
      "#include <stdlib.h>\n#include <string.h>\nint main(void){ for(;;){ char *p = malloc(64 << 20); if (p) memset(p, 1, 64 << 20); } }",
      { limits: roomy },
    );
    expect(told.status).toEqual(memory);
    await expectUnharmed(sandbox);
  });

  it("a fork bomb stays within its number of processes", async () => {
    const told = await sandbox.c("#include <unistd.h>\nint main(void){ for(;;) fork(); }", {
      limits: spinning,
    });
    expect(told.status).toEqual(cpu);
    await expectUnharmed(sandbox);
  });

  it("a fork bomb that sleeps", async () => {
    const told = await sandbox.python(
      "import os, time\nn = 0\ntry:\n  while True:\n    if os.fork() == 0: time.sleep(100)\n    n += 1\nexcept OSError: print(n)",
      { limits: { ...LIMITS, processes: 10 } },
    );
    expect(told).toMatchObject({ status: fine, stdout: "9\n" });
    await expectUnharmed(sandbox);
  });

  it("a thread bomb", async () => {
    const told = await sandbox.c(
      `#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
void *f(void *x){ pause(); return x; }
int main(void){ int n = 0; pthread_t t; while (pthread_create(&t, 0, f, 0) == 0) n++; printf("%d\\n", n); return 0; }`,
      { limits: { ...LIMITS, processes: 10 } },
    );
    expect(told).toMatchObject({ status: fine, stdout: "9\n" });
    await expectUnharmed(sandbox);
  });

  it("descriptors without end", async () => {
    const told = await sandbox.python(
      "import os\nn = 0\ntry:\n  while True: os.dup(0); n += 1\nexcept OSError as e: print(e.strerror, n < 1024)",
      { limits: roomy },
    );
    expect(told).toMatchObject({ status: fine, stdout: "Too many open files True\n" });
    await expectUnharmed(sandbox);
  });

  it("arguments and environment without end", async () => {
    const told = await sandbox.python(
      "import os\ntry: os.execve('/bin/true', ['x' * 100_000] * 100, {'A' * i: 'b' for i in range(1, 1000)})\nexcept OSError as e: print(e.strerror)",
      { limits: roomy },
    );
    expect(told).toMatchObject({ status: fine, stdout: "Argument list too long\n" });
  });

  it("a program kept in memory only", async () => {
    const told = await sandbox.python(
      "import os\nfd = os.memfd_create('x')\nwhile True: os.write(fd, b'x' * (1 << 20))",
      { limits: { ...roomy, outputKiB: 1 << 20 } },
    );
    expect(told.status).toEqual(memory);
    await expectUnharmed(sandbox);
  });

  it("pipes filled and held by many", async () => {
    const told = await sandbox.python(
      "import os\nr = []\ntry:\n  while True:\n    a, b = os.pipe(); os.set_blocking(b, False); r.append((a, b))\n    try:\n      while True: os.write(b, b'x' * 4096)\n    except BlockingIOError: pass\nexcept OSError: print('refused')",
      { limits: roomy },
    );
    expect(["limit", "exited"]).toContain(told.status.type);
    await expectUnharmed(sandbox);
  });

  it("timers that fire for ever", async () => {
    const told = await sandbox.python(
      "import signal, time\nsignal.signal(signal.SIGALRM, lambda *_: None)\nsignal.setitimer(signal.ITIMER_REAL, 1e-6, 1e-6)\nwhile True: time.sleep(1)",
      { limits: spinning },
    );
    expect(told.status.type).toBe("limit");
    await expectUnharmed(sandbox);
  });

  it("folders nested and files without end in /tmp", async () => {
    const told = await sandbox.python(
      "import os\nn = 0\nwhile True:\n  os.mkdir('/tmp/%d' % n); open('/tmp/%d/f' % n, 'w').close(); n += 1",
      { limits: { ...roomy, memoryKiB: 24 * 1024 } },
    );
    expect(told.status.type).toBe("limit");
    await expectUnharmed(sandbox);
  });

  it("a stdin of many megabytes that is not read", async () => {
    const stdin = join(sandbox.workDir, "large");
    writeFileSync(stdin, Buffer.alloc(20 << 20, "1 "));
    expect((await sandbox.python("print(1)", { stdin })).status).toEqual(fine);
  });
});

describe("staying alive", () => {
  it.each([
    ["a child left behind", "import os, time\nif os.fork() == 0: time.sleep(1000)"],
    [
      "a daemon",
      "import os, time\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0:\n    os.close(0); os.close(1); os.close(2)\n    time.sleep(1000)\n  os._exit(0)",
    ],
    ["a stopped child", "import os\np = os.fork()\nif p == 0:\n  while True: pass\nos.kill(p, 19)"],
    ["a spinning child", "import os\nif os.fork() == 0:\n  while True: pass"],
    [
      "kill of everybody",
      "import os, signal\nsignal.signal(15, signal.SIG_IGN)\ntry: os.kill(-1, 15)\nexcept ProcessLookupError: pass",
    ],
    ["kill of the first process", "import os\ntry: os.kill(1, 9)\nexcept PermissionError: pass"],
  ])("%s", async (_, source) => {
    const told = await sandbox.python(source);
    expect(told.status).toEqual(fine);
    expect(told.wallMs).toBeLessThan(2_500);
    await expectUnharmed(sandbox);
  });

  it("System V shared memory and message queues do not outlive the run", async () => {
    const source = `#include <sys/shm.h>
#include <sys/msg.h>
#include <errno.h>
#include <stdio.h>
int main(void){ printf("%d", shmget(4711, 4096, IPC_CREAT | 0666)); printf(" %d\\n", msgget(4711, IPC_CREAT | 0666)); }`;
    expect(await sandbox.c(source)).toMatchObject({ status: fine, stdout: "-1 -1\n" });
  });
});
