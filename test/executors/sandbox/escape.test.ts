import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RunStatus } from "../../../src/executors/sandbox/sandbox.ts";
import {
  expectUnharmed,
  LIMITS,
  openTestSandbox,
  ROOMY as roomy,
  SLOT_UID_BASE,
  type TestSandbox,
} from "./harness.ts";

/** Programs that look for a way out: to the host's files, the network, more rights, or the executor itself. */

const OUTSIDE = "/tmp/docket-escape";
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

const fine: RunStatus = { type: "exited", code: 0 };

describe("looking outside", () => {
  const sees = async (expression: string): Promise<string> => {
    const told = await sandbox.python(
      `import os, glob\ntry: print(${expression})\nexcept OSError as e: print(type(e).__name__)`,
    );
    expect(told.status).toEqual(fine);
    return told.stdout.trim();
  };
  beforeEach(() => expectUnharmed(sandbox));

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
    await expectUnharmed(sandbox);
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
    await expectUnharmed(sandbox);
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
