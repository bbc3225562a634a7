import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RunStatus } from "../../../src/executors/sandbox/sandbox.ts";
import { LIMITS, openTestSandbox, SLOT_UID_BASE, type TestSandbox } from "./harness.ts";

/**
 * Programs that mean harm. Each must end with the status that a judge can tell the truth from, and leave nothing that
 * the next run could meet.
 */

const OUTSIDE = "/tmp/docket-hostile";
let sandbox: TestSandbox;
beforeAll(async () => {
  sandbox = await openTestSandbox({
    prepare: () => {
      mkdirSync(OUTSIDE, { recursive: true, mode: 0o755 });
      writeFileSync(join(OUTSIDE, "world-readable"), "secret");
    },
  });
});
afterAll(async () => {
  await sandbox.close();
});

/** Processes on this machine under a slot's uid. */
function slotProcesses(): string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      const uid = Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/status`, "utf8"))?.[1]);
      return uid >= SLOT_UID_BASE && uid < SLOT_UID_BASE + 2;
    } catch {
      return false;
    }
  });
}

/** The machine may be busy: what spins gets the wall time for its CPU time. */
const spinning = { ...LIMITS, cpuMs: 300, wallMs: 20_000 };
const sleeping = { ...LIMITS, cpuMs: 5_000, wallMs: 1_000 };
const roomy = { ...LIMITS, cpuMs: 5_000, wallMs: 20_000 };

/** What the next job on the same slot meets. */
async function expectUnharmed(): Promise<void> {
  expect(slotProcesses()).toEqual([]);
  const told = await sandbox.python(
    "import os\nprint(len([p for p in os.listdir('/proc') if p.isdigit()]), os.listdir('/tmp'), os.listdir('/box'))",
    { limits: roomy },
  );
  expect(told).toMatchObject({ status: { type: "exited", code: 0 }, stdout: "2 [] ['main.py']\n" });
}

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
    await expectUnharmed();
  });

  it("a memory bomb in C, quicker than any polling", async () => {
    const told = await sandbox.c(
      "#include <stdlib.h>\n#include <string.h>\nint main(void){ for(;;){ char *p = malloc(64 << 20); if (p) memset(p, 1, 64 << 20); } }",
      { limits: roomy },
    );
    expect(told.status).toEqual(memory);
    await expectUnharmed();
  });

  it("a fork bomb stays within its number of processes", async () => {
    const told = await sandbox.c("#include <unistd.h>\nint main(void){ for(;;) fork(); }", {
      limits: spinning,
    });
    expect(told.status).toEqual(cpu);
    await expectUnharmed();
  });

  it("a fork bomb that sleeps", async () => {
    const told = await sandbox.python(
      "import os, time\nn = 0\ntry:\n  while True:\n    if os.fork() == 0: time.sleep(100)\n    n += 1\nexcept OSError: print(n)",
      { limits: { ...LIMITS, processes: 10 } },
    );
    expect(told).toMatchObject({ status: fine, stdout: "9\n" });
    await expectUnharmed();
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
    await expectUnharmed();
  });

  it("descriptors without end", async () => {
    const told = await sandbox.python(
      "import os\nn = 0\ntry:\n  while True: os.dup(0); n += 1\nexcept OSError as e: print(e.strerror, n < 1024)",
      { limits: roomy },
    );
    expect(told).toMatchObject({ status: fine, stdout: "Too many open files True\n" });
    await expectUnharmed();
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
    await expectUnharmed();
  });

  it("pipes filled and held by many", async () => {
    const told = await sandbox.python(
      "import os\nr = []\ntry:\n  while True:\n    a, b = os.pipe(); os.set_blocking(b, False); r.append((a, b))\n    try:\n      while True: os.write(b, b'x' * 4096)\n    except BlockingIOError: pass\nexcept OSError: print('refused')",
      { limits: roomy },
    );
    expect(["limit", "exited"]).toContain(told.status.type);
    await expectUnharmed();
  });

  it("timers that fire for ever", async () => {
    const told = await sandbox.python(
      "import signal, time\nsignal.signal(signal.SIGALRM, lambda *_: None)\nsignal.setitimer(signal.ITIMER_REAL, 1e-6, 1e-6)\nwhile True: time.sleep(1)",
      { limits: spinning },
    );
    expect(told.status.type).toBe("limit");
    await expectUnharmed();
  });

  it("folders nested and files without end in /tmp", async () => {
    const told = await sandbox.python(
      "import os\nn = 0\nwhile True:\n  os.mkdir('/tmp/%d' % n); open('/tmp/%d/f' % n, 'w').close(); n += 1",
      { limits: { ...roomy, memoryKiB: 24 * 1024 } },
    );
    expect(told.status.type).toBe("limit");
    await expectUnharmed();
  });

  it("a stdin of many megabytes that is not read", async () => {
    const stdin = join(sandbox.workDir, "large");
    writeFileSync(stdin, Buffer.alloc(20 << 20, "1 "));
    expect((await sandbox.python("print(1)", { stdin })).status).toEqual(fine);
  });
});

describe("looking outside", () => {
  const sees = async (expression: string): Promise<string> => {
    const told = await sandbox.python(
      `import os, glob\ntry: print(${expression})\nexcept OSError as e: print(type(e).__name__)`,
    );
    expect(told.status).toEqual(fine);
    return told.stdout.trim();
  };
  beforeEach(expectUnharmed);

  it.each([
    ["/etc/shadow", "open('/etc/shadow').read()", "FileNotFoundError"],
    [
      "the host's passwd",
      "'docket' in open('/etc/passwd').read() or 'daemon' in open('/etc/passwd').read()",
      "False",
    ],
    ["/root", "os.listdir('/root')", "FileNotFoundError"],
    ["/home", "os.listdir('/home')", "FileNotFoundError"],
    ["a readable file of the host", `open('${OUTSIDE}/world-readable').read()`, "FileNotFoundError"],
    ["another one's temporary files", "os.listdir('/tmp')", "[]"],
    ["the first process's environment", "open('/proc/1/environ').read()", "PermissionError"],
    ["the first process's files", "os.listdir('/proc/1/fd')", "PermissionError"],
    ["the first process's root", "os.listdir('/proc/1/root')", "PermissionError"],
    ["other processes", "len([p for p in os.listdir('/proc') if p.isdigit()])", "2"],
    ["kernel memory", "os.path.exists('/proc/kcore') and os.access('/proc/kcore', os.R_OK)", "False"],
    ["kernel settings, to write", "open('/proc/sys/kernel/core_pattern', 'w')", "PermissionError"],
    ["/sys", "os.listdir('/sys')", "FileNotFoundError"],
    ["the root, to write", "open('/new', 'w')", "OSError"],
    ["/usr, to write", "open('/usr/new', 'w')", "OSError"],
    ["/etc, to write", "open('/etc/passwd', 'a')", "OSError"],
    ["disks", "glob.glob('/dev/[svx]d*') + glob.glob('/dev/loop*')", "[]"],
    [
      "devices",
      "sorted(os.listdir('/dev'))",
      "['fd', 'full', 'null', 'random', 'shm', 'stderr', 'stdin', 'stdout', 'urandom', 'zero']",
    ],
  ])("%s", async (_, expression, expected) => {
    expect(await sees(expression)).toBe(expected);
  });

  it("the program's own files cannot be changed", async () => {
    expect(await sees("open('/box/main.py', 'w')")).toBe("OSError");
    expect(await sees("os.chmod('/box', 0o777)")).toBe("OSError");
  });
});

describe("the network", () => {
  it.each([
    ["TCP", "socket.socket()"],
    ["UDP", "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"],
    ["IPv6", "socket.socket(socket.AF_INET6)"],
    ["unix sockets, abstract ones too", "socket.socket(socket.AF_UNIX)"],
    ["netlink", "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)"],
    ["raw packets", "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"],
  ])("%s is refused", async (_, expression) => {
    const told = await sandbox.python(
      `import socket\ntry: ${expression}\nexcept OSError as e: print(type(e).__name__)`,
    );
    expect(told).toMatchObject({ status: fine, stdout: "PermissionError\n" });
  });

  it("names are not resolved", async () => {
    const told = await sandbox.python(
      "import socket\ntry: print(socket.getaddrinfo('example.com', 80))\nexcept OSError as e: print('no')",
    );
    expect(told).toMatchObject({ status: fine, stdout: "no\n" });
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
    await expectUnharmed();
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

describe("more rights", () => {
  const C_ATTEMPTS: readonly (readonly [name: string, call: string])[] = [
    ["a user namespace", "unshare(CLONE_NEWUSER)"],
    ["a mount namespace", "unshare(CLONE_NEWNS)"],
    ["a namespace by clone", "(long)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)"],
    ["a mount", 'mount("none", "/tmp", "tmpfs", 0, 0)'],
    ["ptrace", "ptrace(PTRACE_TRACEME, 0, 0, 0)"],
    ["another personality", "personality(0x0040000)"],
    ["keyrings", 'syscall(SYS_add_key, "user", "x", "y", 1, -3)'],
    ["bpf", "syscall(SYS_bpf, 0, 0, 0)"],
    ["perf events", "syscall(SYS_perf_event_open, 0, 0, -1, -1, 0)"],
    ["io_uring", "syscall(SYS_io_uring_setup, 8, 0)"],
    ["userfaultfd", "syscall(SYS_userfaultfd, 0)"],
    ["becoming root", "setuid(0)"],
    ["another slot's uid", `setuid(${SLOT_UID_BASE + 1})`],
    ["groups", "setgroups(0, 0)"],
    ["a device node", 'mknod("/tmp/disk", S_IFBLK | 0666, makedev(254, 0))'],
    ["chroot", 'chroot("/tmp")'],
    ["the host's name", 'sethostname("x", 1)'],
    ["the clock", "clock_settime(0, &(struct timespec){1, 0})"],
    ["the kernel log", "syscall(SYS_syslog, 3, 0, 0)"],
    ["a higher priority", "nice(-5) == -1 && errno ? -1 : 0"],
    ["a larger file limit", "setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY})"],
    ["a real-time priority", "sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){1})"],
    ["limits of the first process", "prlimit(1, RLIMIT_CPU, &(struct rlimit){1, 1}, 0)"],
    ["a process of another namespace", "syscall(SYS_setns, 0, 0)"],
    ["descriptors of others", "syscall(SYS_pidfd_getfd, 0, 0, 0)"],
    ["files by handle", "syscall(SYS_open_by_handle_at, -100, 0, 0)"],
    ["a module", "syscall(SYS_init_module, 0, 0, 0)"],
    ["another kernel", "syscall(SYS_kexec_load, 0, 0, 0, 0)"],
    ["swap", 'syscall(SYS_swapon, "/tmp/x", 0)'],
    ["watching all files", "syscall(SYS_fanotify_init, 0, 0)"],
    ["comparing with others", "syscall(SYS_kcmp, 1, 1, 0, 0, 0)"],
    ["a namespace by clone3", "syscall(SYS_clone3, &(unsigned long long[11]){CLONE_NEWUSER}, 88)"],
    ["a file with capabilities", 'setxattr("/tmp/out", "security.capability", "x", 1, 0)'],
    ["another process's memory", "syscall(SYS_process_vm_readv, 1, 0, 0, 0, 0, 0)"],
  ];
  const HEADERS = [
    "errno.h",
    "sched.h",
    "signal.h",
    "stdio.h",
    "unistd.h",
    "time.h",
    "grp.h",
    "sys/mount.h",
    "sys/personality.h",
    "sys/mman.h",
    "sys/ptrace.h",
    "sys/resource.h",
    "sys/stat.h",
    "sys/syscall.h",
    "sys/sysmacros.h",
    "sys/xattr.h",
  ];

  it("none of these is granted", async () => {
    const lines = C_ATTEMPTS.map(
      ([name, call]) => `errno = 0; if ((${call}) != -1) printf("granted: %s\\n", ${JSON.stringify(name)});`,
    );
    const source = `#define _GNU_SOURCE\n${HEADERS.map((name) => `#include <${name}>`).join("\n")}
int main(void){ ${lines.join("\n")} printf("done\\n"); return 0; }`;
    expect(await sandbox.c(source)).toMatchObject({ status: fine, stdout: "done\n" });
    await expectUnharmed();
  });

  it("setuid programs give nothing", async () => {
    const told = await sandbox.python(
      "import subprocess\nfor c in (['/usr/bin/su', '-c', 'id'], ['/usr/bin/newgrp'], ['/usr/bin/passwd', '-d', 'root']):\n  try: r = subprocess.run(c, capture_output=True, text=True, timeout=2); print('uid=0' in r.stdout)\n  except (OSError, subprocess.TimeoutExpired): print(False)",
      { limits: roomy },
    );
    expect(told).toMatchObject({ status: fine, stdout: "False\nFalse\nFalse\n" });
  });

  it("a file made setuid is none", async () => {
    const told = await sandbox.python(
      "import os, shutil, subprocess\nshutil.copy('/usr/bin/id', '/tmp/id'); os.chmod('/tmp/id', 0o6755)\nprint(os.statvfs('/tmp').f_flag & os.ST_NOSUID != 0, subprocess.run(['/tmp/id', '-u'], capture_output=True, text=True).stdout.strip())",
      { limits: roomy },
    );
    expect(told).toMatchObject({ status: fine, stdout: `True ${SLOT_UID_BASE}\n` });
  });

  it("the program that started it starts nothing for it", async () => {
    const told = await sandbox.python(
      "import subprocess\nr = subprocess.run(['/opt/entry/0', '/usr/bin/id'], capture_output=True, text=True)\nprint(r.returncode, r.stdout)",
      { limits: roomy },
    );
    expect(told).toMatchObject({ status: fine, stdout: "125 \n" });
    const opened = await sandbox.python(
      "import os\nfd = os.open('/tmp/told', os.O_RDWR | os.O_CREAT)\nos.dup2(fd, 3)\nos.execv('/opt/entry/1', ['x', '/usr/bin/id'])",
      { limits: roomy },
    );
    expect(opened.status).toEqual({ type: "exited", code: 125 });
  });

  it("the 32-bit and x32 ways into the kernel are closed", async () => {
    if (process.arch !== "x64") return;
    const told = await sandbox.c(
      "#include <unistd.h>\n#include <sys/syscall.h>\nint main(void){ syscall(0x40000000 | SYS_getpid); return 0; }",
    );
    expect(told.status).toEqual({ type: "signalled", signal: "SIGSYS" });
    const int80 = await sandbox.c(
      'int main(void){ int r; __asm__ volatile("int $0x80" : "=a"(r) : "a"(20)); return 0; }',
    );
    expect(int80.status.type).toBe("signalled");
  });

  it("a crash leaves no core file", async () => {
    const told = await sandbox.c("int main(void){ *(volatile int *)0 = 1; }", { boxWritable: false });
    expect(told.status).toEqual({ type: "signalled", signal: "SIGSEGV" });
    await expectUnharmed();
  });
});

describe("traps left in a writable box", () => {
  it("links in place of outputs are not followed", async () => {
    const box = sandbox.box({
      "main.py": `import os
os.symlink('${OUTSIDE}/world-readable', 'out')
os.symlink('/etc', 'etc')
os.mkfifo('pipe')
os.mkdir('closed'); open('closed/file', 'w').close(); os.chmod('closed', 0)`,
    });
    const told = await sandbox.run({ argv: ["/usr/bin/python3", "main.py"], box, boxWritable: true });
    expect(told.status).toEqual(fine);
    await expect(
      sandbox.native.run(
        {
          slot: 0,
          argv: ["/bin/echo", "overwritten"],
          env: {},
          box,
          boxWritable: true,
          mounts: [],
          stdin: null,
          stdout: join(box, "out"),
          stderr: null,
          limits: LIMITS,
        },
        new AbortController().signal,
      ),
    ).rejects.toThrow(/ELOOP/);
    await sandbox.native.remove(box);
    expect(existsSync(box)).toBe(false);
    expect(readFileSync(join(OUTSIDE, "world-readable"), "utf8")).toBe("secret");
    expect(existsSync("/etc/passwd")).toBe(true);
  });
});
