import { describe, expect, it } from "vitest";
import { seccompFilter } from "../../../src/executors/sandbox/seccomp.ts";

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const errno = (value: number): number => 0x00050000 + value;

/** Runs classic BPF as the kernel does, for the few instructions that the filter uses. */
function judge(filter: Buffer, call: { arch: number; number: number; args?: readonly number[] }): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number, 0);
  data.writeUInt32LE(call.arch, 4);
  for (const [index, value] of (call.args ?? []).entries()) data.writeUInt32LE(value, 16 + index * 8);
  let accumulator = 0;
  for (let at = 0; at < filter.length / 8; at++) {
    const code = filter.readUInt16LE(at * 8);
    const yes = filter.readUInt8(at * 8 + 2);
    const no = filter.readUInt8(at * 8 + 3);
    const k = filter.readUInt32LE(at * 8 + 4);
    if (code === 0x20) accumulator = data.readUInt32LE(k);
    else if (code === 0x06) return k;
    else if (code === 0x15) at += accumulator === k ? yes : no;
    else if (code === 0x35) at += accumulator >= k ? yes : no;
    else if (code === 0x45) at += (accumulator & k) === 0 ? no : yes;
    else throw new Error(`unknown instruction ${code.toString(16)}`);
  }
  throw new Error("ran off the end");
}

describe.each([
  {
    name: "x64",
    arch: 0xc000003e,
    read: 0,
    mount: 165,
    unshare: 272,
    clone: 56,
    socket: 41,
    socketpair: 53,
    clone3: 435,
    personality: 135,
    ioctl: 16,
  },
  {
    name: "arm64",
    arch: 0xc00000b7,
    read: 63,
    mount: 40,
    unshare: 97,
    clone: 220,
    socket: 198,
    socketpair: 199,
    clone3: 435,
    personality: 92,
    ioctl: 29,
  },
])("the filter for $name", ({ name, arch, ...numbers }) => {
  const filter = seccompFilter(name) ?? Buffer.alloc(0);
  const on = (number: number, ...args: number[]): number => judge(filter, { arch, number, args });

  it("lets ordinary calls pass", () => {
    for (const number of [numbers.read, numbers.socketpair]) expect(on(number)).toBe(ALLOW);
  });

  it("refuses mounts, namespaces and sockets", () => {
    expect(on(numbers.mount)).toBe(errno(1));
    expect(on(numbers.unshare)).toBe(errno(1));
    expect(on(numbers.socket, 1)).toBe(errno(13));
    expect(on(numbers.clone3)).toBe(errno(38));
  });

  it("looks at the flags of clone", () => {
    expect(on(numbers.clone, 17)).toBe(ALLOW);
    // What pthread_create asks for.
    expect(on(numbers.clone, 0x003d0f00)).toBe(ALLOW);
    for (const flag of [0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000]) {
      expect(on(numbers.clone, flag | 17)).toBe(errno(1));
    }
  });

  it("allows the ordinary personality only", () => {
    expect(on(numbers.personality, 0)).toBe(ALLOW);
    expect(on(numbers.personality, 0xffffffff)).toBe(ALLOW);
    expect(on(numbers.personality, 0x0040000)).toBe(errno(1));
  });

  it("refuses to push input to a terminal", () => {
    expect(on(numbers.ioctl, 0, 0x5412)).toBe(errno(1));
    expect(on(numbers.ioctl, 0, 0x5401)).toBe(ALLOW);
  });

  it("kills on a foreign architecture", () => {
    expect(judge(filter, { arch: 0x40000003, number: 1 })).toBe(KILL);
    if (name === "x64") expect(on(0x40000000)).toBe(KILL);
  });

  it("has no jump that is too long", () => {
    expect(filter.length % 8).toBe(0);
    expect(filter.length / 8).toBeLessThan(4096);
  });
});

it("there is none for other machines", () => {
  expect(seccompFilter("ppc64")).toBeUndefined();
});
