/**
 * The first program of every run inside bubblewrap: it gives up root for the slot's uid and turns into the judged
 * program. It is nothing but a list of system calls, so it is assembled here, as the filter beside it is: no compiler,
 * no libc and no loader stand between, and what it could not do is told apart from what the program did. On the
 * descriptor `ENTRY_FD`, which the program itself never gets, it writes that it has begun, and which step failed why.
 */

/** Made ready by preparedshell.ts; closed by the kernel at the moment when the judged program starts. */
export const ENTRY_FD = 3;

interface Machine {
  /** e_machine, elf.h. */
  readonly elf: number;
  /** Column of the tables below. */
  readonly column: 0 | 1;
  /** A system call whose arguments are constants; goes to `fail` when it answers an error. */
  call(step: number, number: number, args: readonly number[]): Code;
  /** execve(argv[1], &argv[1], envp), from what the kernel left on the stack. Comes back only when it failed. */
  exec(step: number, number: number): Code;
  /** Writes step and error, 4 bytes each, to ENTRY_FD and exits. */
  fail(write: number, exit: number): Buffer;
  /** Sets the distance of a jump, in bytes from its own beginning. */
  jump(code: Buffer, at: number, distance: number): void;
}

interface Code {
  readonly bytes: Buffer;
  /** Where in it the jump to `fail` is. */
  readonly jumpAt: number;
}

/** Numbers on [x86_64, aarch64]. */
const CALLS = {
  write: [1, 64],
  fcntl: [72, 25],
  prctl: [157, 167],
  setgroups: [116, 159],
  setresgid: [119, 149],
  setresuid: [117, 147],
  capset: [126, 91],
  execve: [59, 221],
  exit_group: [231, 94],
} as const;

const F_SETFD = 2;
const FD_CLOEXEC = 1;
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;
const CAPABILITY_VERSION_3 = 0x20080522;
const EXIT_FAILED = 125;

/** Where the file is loaded: below 2^32, so that every address fits a 32-bit constant. */
const BASE = 0x400000;
const HEADERS_BYTES = 64 + 56;
const BEGUN = Buffer.from("BEGN");
/** Constants before the code: the word BEGUN, then capset's header and its (empty) sets. */
const HEADER_AT = BASE + HEADERS_BYTES + BEGUN.length;
const SETS_AT = HEADER_AT + 8;
const CONSTANTS_BYTES = BEGUN.length + 8 + 24;

/**
 * The program as an ELF file for `arch` (as process.arch names it), or undefined for a machine we cannot write for.
 * `lastCapability` is the kernel's (/proc/sys/kernel/cap_last_cap); undefined without CAP_SETPCAP, which dropping from the bounding set
 * takes: what is in that has no effect under no_new_privs.
 */
export function entryProgram(
  arch: string,
  { uid, lastCapability }: { readonly uid: number; readonly lastCapability: number | undefined },
): Buffer | undefined {
  const machine = MACHINES[arch];
  if (machine === undefined) return undefined;
  const steps: readonly (readonly [keyof typeof CALLS, ...number[]])[] = [
    ["write", ENTRY_FD, BASE + HEADERS_BYTES, BEGUN.length],
    ["fcntl", ENTRY_FD, F_SETFD, FD_CLOEXEC],
    ["prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0],
    ["prctl", PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0],
    ...Array.from({ length: (lastCapability ?? -1) + 1 }, (_, capability) => dropFromBoundingSet(capability)),
    ["setgroups", 0, 0],
    ["setresgid", uid, uid, uid],
    ["setresuid", uid, uid, uid],
    ["capset", HEADER_AT, SETS_AT],
  ];
  const parts = steps.map(([name, ...args], step) => machine.call(step, CALLS[name][machine.column], args));
  parts.push(machine.exec(EXEC_STEP, CALLS.execve[machine.column]));
  const body = Buffer.concat(parts.map(({ bytes }) => bytes));
  let at = 0;
  for (const { bytes, jumpAt } of parts) {
    machine.jump(body, at + jumpAt, body.length - at - jumpAt);
    at += bytes.length;
  }
  const { write, exit_group: exit } = CALLS;
  return elfFile(
    machine.elf,
    Buffer.concat([body, machine.fail(write[machine.column], exit[machine.column])]),
  );
}

const dropFromBoundingSet = (capability: number) => ["prctl", PR_CAPBSET_DROP, capability, 0, 0, 0] as const;

/** Told as the step that failed when it is the program itself that could not be started. */
const EXEC_STEP = 999;

/** What the program of a run has told: undefined as long as it has not begun. */
export interface Entered {
  readonly failed: { readonly step: number | "exec"; readonly errno: number } | undefined;
}

/** Most that it writes. */
export const ENTERED_BYTES = BEGUN.length + 8;

export function readEntered(told: Buffer): Entered | undefined {
  if (!told.subarray(0, BEGUN.length).equals(BEGUN)) return undefined;
  if (told.length < ENTERED_BYTES) return { failed: undefined };
  const step = told.readInt32LE(BEGUN.length);
  return {
    failed: { step: step === EXEC_STEP ? "exec" : step, errno: -told.readInt32LE(BEGUN.length + 4) },
  };
}

/** One segment, readable and executable, that starts with the headers themselves. */
function elfFile(machine: number, code: Buffer): Buffer {
  const constants = Buffer.alloc(CONSTANTS_BYTES);
  BEGUN.copy(constants);
  constants.writeUInt32LE(CAPABILITY_VERSION_3, HEADER_AT - BASE - HEADERS_BYTES);
  const size = HEADERS_BYTES + CONSTANTS_BYTES + code.length;
  const headers = Buffer.alloc(HEADERS_BYTES);
  // ELFCLASS64, little endian, version 1.
  headers.write("\x7fELF\x02\x01\x01", "latin1");
  headers.writeUInt16LE(2, 16); // ET_EXEC
  headers.writeUInt16LE(machine, 18);
  headers.writeUInt32LE(1, 20);
  headers.writeBigUInt64LE(BigInt(BASE + HEADERS_BYTES + CONSTANTS_BYTES), 24);
  headers.writeBigUInt64LE(64n, 32); // program headers
  headers.writeUInt16LE(64, 52);
  headers.writeUInt16LE(56, 54);
  headers.writeUInt16LE(1, 56);
  headers.writeUInt32LE(1, 64); // PT_LOAD
  headers.writeUInt32LE(5, 68); // readable, executable
  headers.writeBigUInt64LE(BigInt(BASE), 80);
  headers.writeBigUInt64LE(BigInt(BASE), 88);
  headers.writeBigUInt64LE(BigInt(size), 96);
  headers.writeBigUInt64LE(BigInt(size), 104);
  headers.writeBigUInt64LE(0x10000n, 112); // alignment: the largest page of either machine
  return Buffer.concat([headers, constants, code]);
}

const x64: Machine = {
  elf: 62,
  column: 0,
  call: (step, number, args) => {
    const bytes = Buffer.concat([
      // mov edi|esi|edx|r10d|r8d, constant
      ...args.map((value, index) => Buffer.concat([X64_ARGUMENTS[index] ?? X64_ARGUMENTS[0], word(value)])),
      x64System(step, number),
      X64_JUMP_IF_ERROR,
    ]);
    return { bytes, jumpAt: bytes.length - 6 };
  },
  exec: (step, number) => {
    const bytes = Buffer.concat([
      Buffer.from("488b0c24", "hex"), // mov rcx, [rsp]: argc
      Buffer.from("488d54cc10", "hex"), // lea rdx, [rsp + rcx * 8 + 16]: envp
      Buffer.from("488d742410", "hex"), // lea rsi, [rsp + 16]: &argv[1]
      Buffer.from("488b3e", "hex"), // mov rdi, [rsi]
      x64System(step, number),
      X64_JUMP_IF_ERROR,
    ]);
    return { bytes, jumpAt: bytes.length - 6 };
  },
  fail: (write, exit) =>
    Buffer.concat([
      Buffer.from("4883ec10", "hex"), // sub rsp, 16
      Buffer.from("891c24", "hex"), // mov [rsp], ebx
      Buffer.from("89442404", "hex"), // mov [rsp + 4], eax
      Buffer.concat([X64_ARGUMENTS[0], word(ENTRY_FD)]),
      Buffer.from("4889e6", "hex"), // mov rsi, rsp
      Buffer.concat([X64_ARGUMENTS[2], word(8)]),
      x64System(0, write),
      Buffer.concat([X64_ARGUMENTS[0], word(EXIT_FAILED)]),
      x64System(0, exit),
    ]),
  // The distance counts from the jump's end.
  jump: (code, at, distance) => void code.writeInt32LE(distance - 6, at + 2),
};
const X64_ARGUMENTS = [
  Buffer.from("bf", "hex"),
  Buffer.from("be", "hex"),
  Buffer.from("ba", "hex"),
  Buffer.from("41ba", "hex"),
  Buffer.from("41b8", "hex"),
] as const;
/** test rax, rax; js (distance). */
const X64_JUMP_IF_ERROR = Buffer.from("4885c00f8800000000", "hex");
/** mov ebx, step; mov eax, number; syscall. */
const x64System = (step: number, number: number): Buffer =>
  Buffer.concat([Buffer.from("bb", "hex"), word(step), Buffer.from("b8", "hex"), word(number), SYSCALL]);
const SYSCALL = Buffer.from("0f05", "hex");

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

const arm64: Machine = {
  elf: 183,
  column: 1,
  call: (step, number, args) => {
    const bytes = Buffer.concat([
      ...args.map((value, index) => arm64Move(index, value)),
      arm64System(step, number),
      word(ARM64_JUMP_IF_ERROR),
    ]);
    return { bytes, jumpAt: bytes.length - 4 };
  },
  exec: (step, number) => {
    const bytes = Buffer.concat([
      word(0xf94003e9), // ldr x9, [sp]: argc
      word(0x910043e1), // add x1, sp, #16: &argv[1]
      word(0xf9400020), // ldr x0, [x1]
      word(0x8b090c22), // add x2, x1, x9, lsl #3: envp
      arm64System(step, number),
      word(ARM64_JUMP_IF_ERROR),
    ]);
    return { bytes, jumpAt: bytes.length - 4 };
  },
  fail: (write, exit) =>
    Buffer.concat([
      word(0xd10043ff), // sub sp, sp, #16
      word(0xb90003f3), // str w19, [sp]
      word(0xb90007e0), // str w0, [sp, #4]
      arm64Move(0, ENTRY_FD),
      word(0x910003e1), // mov x1, sp
      arm64Move(2, 8),
      arm64System(0, write),
      arm64Move(0, EXIT_FAILED),
      arm64System(0, exit),
    ]),
  jump: (code, at, distance) =>
    void code.writeUInt32LE((ARM64_JUMP_IF_ERROR | ((distance / 4) << 5)) >>> 0, at),
};
/** tbnz x0, #63, (distance). */
const ARM64_JUMP_IF_ERROR = 0xb7f80000;
/** movz x, low half; movk x, high half, lsl #16. */
const arm64Move = (register: number, value: number): Buffer =>
  Buffer.concat([
    word((0xd2800000 | ((value & 0xffff) << 5) | register) >>> 0),
    word((0xf2a00000 | ((value >>> 16) << 5) | register) >>> 0),
  ]);
/** x19 is the step, x8 the number; svc #0. */
const arm64System = (step: number, number: number): Buffer =>
  Buffer.concat([arm64Move(19, step), arm64Move(8, number), word(0xd4000001)]);

const MACHINES: Readonly<Record<string, Machine>> = { x64, arm64 };
