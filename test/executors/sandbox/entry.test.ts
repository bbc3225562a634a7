import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ENTRY_FD, entryProgram, readEntered } from "../../../src/executors/sandbox/entry.ts";

/** Needs root. */
const UID = 64_123;
const lastCapability = Number(readFileSync("/proc/sys/kernel/cap_last_cap", "utf8"));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "docket-entry-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

let made = 0;
async function enter(argv: readonly string[], how: { readonly uid?: number } = {}) {
  const program = entryProgram(process.arch, { uid: UID, lastCapability });
  if (program === undefined) throw new Error(`none for ${process.arch}`);
  const path = `/run/docket-entry-${process.pid}-${++made}`;
  writeFileSync(path, program, { mode: 0o755 });
  const toldFile = join(folder, `told-${made}`);
  const told = openSync(toldFile, "w+");
  try {
    const stdio = ["ignore", "pipe", "inherit", told] as const;
    const child = spawn(path, argv, { stdio: [...stdio], env: { A: "b" }, ...how });
    const chunks: Buffer[] = [];
    child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
    const [code] = (await once(child, "close")) as [number | null];
    return { code, output: Buffer.concat(chunks).toString(), entered: readEntered(readFileSync(toldFile)) };
  } finally {
    closeSync(told);
    rmSync(path);
  }
}

describe("the entry program", () => {
  it("becomes the program, with its arguments and environment, and takes its descriptor along to nobody", async () => {
    const script = `echo "$0 $1 $A"; test -e /proc/$$/fd/${ENTRY_FD} || echo closed; exit 7`;
    const { code, output, entered } = await enter(["/bin/sh", "-c", script, "zero", "one two"]);
    expect(code).toBe(7);
    expect(output).toBe("zero one two b\nclosed\n");
    expect(entered).toEqual({ failed: undefined });
  });

  it("gives up root, groups and every capability for good", async () => {
    const { output } = await enter(["/bin/cat", "/proc/self/status"]);
    expect(output).toMatch(new RegExp(`^Uid:\\t${UID}\\t${UID}\\t${UID}\\t${UID}$`, "m"));
    expect(output).toMatch(new RegExp(`^Gid:\\t${UID}\\t${UID}\\t${UID}\\t${UID}$`, "m"));
    expect(output).toMatch(/^Groups:\s*$/m);
    for (const set of ["Inh", "Prm", "Eff", "Bnd", "Amb"]) {
      expect(output).toMatch(new RegExp(`^Cap${set}:\\t0+$`, "m"));
    }
    expect(output).toMatch(/^NoNewPrivs:\t1$/m);
  });

  it("says that the program could not be started, and why", async () => {
    const { ENOENT, EACCES } = constants.errno;
    expect(await enter(["/nowhere/program"])).toMatchObject({
      code: 125,
      entered: { failed: { step: "exec", errno: ENOENT } },
    });
    expect(await enter(["/etc/passwd"])).toMatchObject({
      code: 125,
      entered: { failed: { step: "exec", errno: EACCES } },
    });
  });

  it("starts nothing when it may not give up what it has", async () => {
    const { code, output, entered } = await enter(["/bin/echo", "started"], { uid: 65_534 });
    expect({ code, output }).toEqual({ code: 125, output: "" });
    expect(entered?.failed).toEqual({ step: expect.any(Number), errno: constants.errno.EPERM });
  });
});

it("what has said nothing has not begun", () => {
  expect(readEntered(Buffer.alloc(0))).toBeUndefined();
  expect(readEntered(Buffer.from("BEG"))).toBeUndefined();
  expect(readEntered(Buffer.from("something else"))).toBeUndefined();
});

it("is there for x64 and arm64 and for no other machine", () => {
  const of = (arch: string) => entryProgram(arch, { uid: UID, lastCapability });
  expect(of("ppc64")).toBeUndefined();
  for (const [arch, machine] of [
    ["x64", 62],
    ["arm64", 183],
  ] as const) {
    const elf = of(arch);
    expect(elf?.subarray(0, 4).toString("latin1")).toBe("\x7fELF");
    expect(elf?.readUInt16LE(18)).toBe(machine);
  }
});
