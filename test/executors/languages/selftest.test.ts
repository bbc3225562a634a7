import { randomInt } from "node:crypto";
import { mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { LANGUAGE_DEFINITIONS } from "../../../src/executors/languages/languages.ts";
import { dropPrivileges, type NativeSandbox, openSandbox } from "../../../src/executors/sandbox/native.ts";
import type { RunRequest, Sandbox } from "../../../src/executors/sandbox/sandbox.ts";
import {
  findLanguages,
  type FoundLanguage,
  selfTest,
  testLanguage,
} from "../../../src/executors/selftest.ts";
import { LANGUAGE_IDS } from "../../../src/shared/language.ts";
import { binaryPath } from "../../support/binaries.ts";

const UID = 1_000_000 + (process.pid % 1_000_000) * 10;
const CACHE = fileURLToPath(new URL("../../../.docket/cache/toolchains", import.meta.url));
const signal = new AbortController().signal;

let found: readonly FoundLanguage[];
let native: NativeSandbox;
let workDir: string;
/** Counts what is really run. */
const runs: RunRequest[] = [];
let sandbox: Sandbox;

beforeAll(async () => {
  const places = { path: process.env["PATH"], home: homedir(), node: process.execPath, cacheDir: CACHE };
  const languages = await findLanguages(LANGUAGE_IDS, places);
  ({ found } = languages);
  // What is missing on this machine is not offered, and says how to get it.
  for (const { reason } of languages.missing) expect(reason).toMatch(/apt-get install|gpu/);
  workDir = realpathSync(mkdtempSync(join(tmpdir(), "docket-languages-")));
  native = await openSandbox({
    executor: `languages-${process.pid}-${randomInt(1e6)}`,
    workDir,
    bwrap: binaryPath("bwrap"),
    uid: UID,
    slots: 2,
    slotUidBase: UID + 1,
    mounts: found.flatMap(({ toolchain }) => toolchain.mounts),
  });
  dropPrivileges(UID, workDir);
  sandbox = {
    run: (request, aborted) => {
      runs.push(request);
      return native.run(request, aborted);
    },
    remove: (directory) => native.remove(directory),
  };
}, 180_000);
afterAll(async () => {
  await native.close();
  rmSync(workDir, { recursive: true, force: true });
});

describe("finding toolchains", () => {
  it("says what to install where there is none", async () => {
    const { missing } = await findLanguages(["javascript"], { node: "/nowhere/node", cacheDir: CACHE });
    expect(missing).toMatchObject([{ id: "javascript" }]);
    for (const id of LANGUAGE_IDS) {
      // What comes with Docket itself needs none.
      if (LANGUAGE_DEFINITIONS[id].engine === "native")
        expect(LANGUAGE_DEFINITIONS[id].packages.length).toBeGreaterThan(0);
    }
  });

  it("gives programs as the sandbox shows them", () => {
    for (const { toolchain } of found) {
      for (const program of Object.values(toolchain.programs)) expect(program).toMatch(/^\/(usr|opt)\//);
    }
  });
});

describe("the self-test", () => {
  it("passes for every language that was found", { timeout: 120_000 }, async () => {
    const result = await selfTest({ sandbox, workDir, slots: 2 }, found, signal);
    expect(result.notOffered).toEqual([]);
    expect(result.offered).toEqual(found);
    expect(runs.length).toBeGreaterThan(found.length);
  });

  it("is not run again for the same toolchain, but the sandbox is tried", async () => {
    runs.length = 0;
    const at = performance.now();
    const result = await selfTest({ sandbox, workDir, slots: 2 }, found, signal);
    expect(result.offered).toEqual(found);
    expect(runs.map(({ argv }) => argv)).toEqual([["/bin/true"]]);
    expect(performance.now() - at).toBeLessThan(2_000);
  });

  it("is run again when the toolchain is another", async () => {
    runs.length = 0;
    const [first] = found;
    if (first === undefined) throw new Error("no language at all");
    const other = { ...first, toolchain: { ...first.toolchain, version: "another" } };
    expect(
      await testLanguage({ sandbox, workDir, slots: 1 }, other, { slot: 0, signal, fresh: false }),
    ).toBeUndefined();
    expect(runs.length).toBeGreaterThan(0);
  });

  it("says what is wrong with a broken toolchain, and remembers nothing of it", async () => {
    const python = found.find(({ id }) => id === "python");
    if (python === undefined) return;
    const broken = { ...python, toolchain: { ...python.toolchain, programs: { python3: "/usr/bin/false" } } };
    const before = readdirSync(join(workDir, "selftest")).length;
    for (let i = 0; i < 2; i++) {
      const result = await selfTest({ sandbox, workDir, slots: 1 }, [broken], signal);
      expect(result.offered).toEqual([]);
      expect(result.notOffered[0]?.reason).toMatch(/self-test does not compile/);
    }
    expect(readdirSync(join(workDir, "selftest")).length).toBe(before);
  });

  it("refuses a language that gives a wrong answer", async () => {
    const python = found.find(({ id }) => id === "python");
    if (python === undefined) return;
    const lying = { ...python, definition: { ...python.definition, selfTest: "print(41)" } };
    const result = await selfTest({ sandbox, workDir, slots: 1 }, [lying], signal);
    expect(result.notOffered[0]?.reason).toMatch(/printed "41"/);
  });

  it("is a fault when nothing can be run", async () => {
    const dead: Sandbox = {
      run: () => Promise.resolve({ status: { type: "exited", code: 1 }, cpuMs: 0, wallMs: 0, memoryKiB: 0 }),
      remove: () => Promise.resolve(),
    };
    writeFileSync(join(workDir, "selftest", "sandbox-stderr"), "why");
    await expect(selfTest({ sandbox: dead, workDir, slots: 1 }, found, signal)).rejects.toThrow(/why/);
  });
});
