/**
 * The system call filter of every program: a deny list on top of namespaces and dropped capabilities, for what
 * those do not stop or what has been a way out of them before. Assembled to classic BPF, as
 * linux/seccomp.h wants it.
 */

interface Machine {
  /** AUDIT_ARCH_*, linux/audit.h. */
  readonly audit: number;
  /** Column of the table below. */
  readonly column: 0 | 1;
}

const MACHINES: Readonly<Record<string, Machine>> = {
  x64: { audit: 0xc000003e, column: 0 },
  arm64: { audit: 0xc00000b7, column: 1 },
};

const EPERM = 1;
const EACCES = 13;
const ENOSYS = 38;

/** Numbers on [x86_64, aarch64]; null: the machine has no such call. */
type Numbers = readonly [number | null, number | null];

const CLONE: Numbers = [56, 220];
const PERSONALITY: Numbers = [135, 92];
const IOCTL: Numbers = [16, 29];

/** New namespaces, mounts, other processes' memory, kernel interfaces. */
const DENIED: Readonly<Record<string, Numbers>> = {
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  setns: [308, 268],
  unshare: [272, 97],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  pidfd_getfd: [438, 438],
  kcmp: [312, 272],
  keyctl: [250, 219],
  add_key: [248, 217],
  request_key: [249, 218],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  fanotify_init: [300, 262],
  shmget: [29, 194],
  shmat: [30, 196],
  shmctl: [31, 195],
  msgget: [68, 186],
  msgsnd: [69, 189],
  msgrcv: [70, 188],
  msgctl: [71, 187],
  semget: [64, 190],
  semop: [65, 193],
  semctl: [66, 191],
  semtimedop: [220, 192],
  mq_open: [240, 180],
  mq_unlink: [241, 181],
  move_pages: [279, 239],
  migrate_pages: [256, 238],
  reboot: [169, 142],
  swapon: [167, 224],
  swapoff: [168, 225],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  acct: [163, 89],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  syslog: [103, 116],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  clock_adjtime: [305, 266],
  adjtimex: [159, 171],
  sethostname: [170, 161],
  setdomainname: [171, 162],
  iopl: [172, null],
  ioperm: [173, null],
  modify_ldt: [154, null],
  vhangup: [153, 58],
  lookup_dcookie: [212, 18],
};

/** Runtimes and libc fall back when told that these do not exist. clone3 hides its flags from a filter. */
const ABSENT: Readonly<Record<string, Numbers>> = {
  clone3: [435, 435],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
};

/** No sockets at all: the network namespace is shared, so not even abstract unix ones. socketpair stays. */
const SOCKET: Numbers = [41, 198];

/** CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET. */
const CLONE_NAMESPACES = 0x7e020000;
/** Terminal ioctls that push input to a terminal: TIOCSTI, TIOCLINUX. */
const TERMINAL_IOCTLS = [0x5412, 0x541c];
const X32_BIT = 0x40000000;

const RET_KILL = 0x80000000;
const RET_ALLOW = 0x7fff0000;
const fail = (errno: number): number => 0x00050000 | errno;

// struct seccomp_data: int nr; u32 arch; u64 ip; u64 args[6]. Both machines are little endian: low half first.
const NR = 0;
const ARCH = 4;
const argLow = (index: number): number => 16 + 8 * index;

type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, k: number];
const load = (offset: number): Instruction => [0x20, 0, 0, offset];
const ret = (value: number): Instruction => [0x06, 0, 0, value];
const unlessEqual = (k: number, skip: number): Instruction => [0x15, 0, skip, k];
const unlessAtLeast = (k: number, skip: number): Instruction => [0x35, 0, skip, k];
const unlessBits = (k: number, skip: number): Instruction => [0x45, 0, skip, k];

/** The filter's bytes for `arch` (as process.arch names it), or undefined for a machine we have no table for. */
export function seccompFilter(arch: string): Buffer | undefined {
  const machine = MACHINES[arch];
  if (machine === undefined) return undefined;
  const program: Instruction[] = [load(ARCH), [0x15, 1, 0, machine.audit], ret(RET_KILL), load(NR)];
  if (machine.column === 0) program.push(unlessAtLeast(X32_BIT, 1), ret(RET_KILL));

  const onCall = (numbers: Numbers, body: readonly Instruction[]): void => {
    const number = numbers[machine.column];
    if (number !== null) program.push(unlessEqual(number, body.length), ...body);
  };
  for (const numbers of Object.values(DENIED)) onCall(numbers, [ret(fail(EPERM))]);
  for (const numbers of Object.values(ABSENT)) onCall(numbers, [ret(fail(ENOSYS))]);
  onCall(SOCKET, [ret(fail(EACCES))]);
  onCall(CLONE, [load(argLow(0)), unlessBits(CLONE_NAMESPACES, 1), ret(fail(EPERM)), ret(RET_ALLOW)]);
  // 0 is plain Linux, 0xffffffff only asks.
  onCall(PERSONALITY, [
    load(argLow(0)),
    unlessEqual(0, 1),
    ret(RET_ALLOW),
    unlessEqual(0xffffffff, 1),
    ret(RET_ALLOW),
    ret(fail(EPERM)),
  ]);
  onCall(IOCTL, [
    load(argLow(1)),
    ...TERMINAL_IOCTLS.flatMap((request) => [unlessEqual(request, 1), ret(fail(EPERM))]),
    ret(RET_ALLOW),
  ]);
  program.push(ret(RET_ALLOW));

  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [code, jumpTrue, jumpFalse, k]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(jumpTrue, index * 8 + 2);
    bytes.writeUInt8(jumpFalse, index * 8 + 3);
    bytes.writeUInt32LE(k, index * 8 + 4);
  }
  return bytes;
}
