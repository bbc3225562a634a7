import { createHash, randomUUID } from "node:crypto";
import { chmodSync, mkdirSync } from "node:fs";
import { chmod, mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LANGUAGES, type LanguageId, NOT_INSTALLED } from "../shared/language.ts";
import { lacksGpu } from "./gpu.ts";
import {
  type LanguageDefinition,
  type Places,
  type Prepared,
  preparedInside,
  type Toolchain,
} from "./languages/language.ts";
import { LANGUAGE_DEFINITIONS } from "./languages/languages.ts";
import { preparedFolder } from "./prepared/folder.ts";
import { type ReadOnlyMount, type RunRequest, type Sandbox, SandboxFault } from "./sandbox/sandbox.ts";

/** A language whose toolchain is on this machine; whether it works is for the self-test to say. */
export interface FoundLanguage {
  readonly id: LanguageId;
  readonly version: string;
  readonly definition: LanguageDefinition;
  readonly toolchain: Toolchain;
}

export interface NotOffered {
  readonly id: LanguageId;
  /** What is wrong and how to mend it, in plain words. */
  readonly reason: string;
}

/**
 * Looks for the toolchains. To be done while still root: some lie where only root may look, and their mounts are
 * handed to `openSandbox`.
 */
export async function findLanguages(
  ids: readonly LanguageId[],
  places: Places,
): Promise<{ readonly found: readonly FoundLanguage[]; readonly missing: readonly NotOffered[] }> {
  const found: FoundLanguage[] = [];
  const missing: NotOffered[] = [];
  await Promise.all(
    ids.map(async (id) => {
      const definition = LANGUAGE_DEFINITIONS[id];
      try {
        const needsGpu = LANGUAGES[id].resource === "gpu";
        const lacking = needsGpu ? await lacksGpu(places.gpu) : undefined;
        if (lacking !== undefined) {
          missing.push({ id, reason: `${NOT_INSTALLED}: ${lacking}` });
          return;
        }
        const plain = await definition.find(places);
        const toolchain = needsGpu && plain !== undefined ? withDevices(plain, places.gpu) : plain;
        if (toolchain !== undefined) {
          const mounts = [...toolchain.mounts, ...preparedMounts(places.cacheDir, toolchain.prepared ?? [])];
          found.push({ id, version: toolchain.version, definition, toolchain: { ...toolchain, mounts } });
        } else
          missing.push({ id, reason: `${NOT_INSTALLED}: apt-get install ${definition.packages.join(" ")}` });
      } catch (error) {
        missing.push({ id, reason: `its toolchain cannot be prepared: ${String(error)}` });
      }
    }),
  );
  const inOrder = (a: { id: LanguageId }, b: { id: LanguageId }): number =>
    ids.indexOf(a.id) - ids.indexOf(b.id);
  return { found: found.toSorted(inOrder), missing: missing.toSorted(inOrder) };
}

/** Programs are told the paths of the devices: how many there are is the pool's business. */
const withDevices = (toolchain: Toolchain, gpu: Places["gpu"]): Toolchain => ({
  ...toolchain,
  env: { ...toolchain.env, DOCKET_GPU_DEVICES: gpu?.devices.join(",") ?? "" },
});

/** The folders are there, if empty, before the sandbox opens. Where they cannot be made, everything works without. */
function preparedMounts(cacheDir: string, all: readonly Prepared[]): readonly ReadOnlyMount[] {
  return all.flatMap((prepared) => {
    const host = preparedFolder(cacheDir, prepared);
    try {
      mkdirSync(host, { recursive: true });
      chmodSync(host, 0o755);
      return [{ host, inside: preparedInside(prepared.name) }];
    } catch {
      return [];
    }
  });
}

export interface SelfTestDeps {
  readonly sandbox: Sandbox;
  readonly workDir: string;
  readonly slots: number;
}

export interface SelfTestResult {
  readonly offered: readonly FoundLanguage[];
  readonly notOffered: readonly NotOffered[];
}

/**
 * Proves the sandbox, then each language by its own small program through the real sandbox. What has passed before
 * with the very same toolchain is not run again. Throws SandboxFault when nothing at all can be run.
 */
export async function selfTest(
  deps: SelfTestDeps,
  found: readonly FoundLanguage[],
  signal: AbortSignal,
): Promise<SelfTestResult> {
  await proveSandbox(deps, signal);
  const waiting = [...found];
  const reasons = new Map<LanguageId, string>();
  await Promise.all(
    Array.from({ length: deps.slots }, async (_, slot) => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        // What a device did the last time says nothing of now.
        const fresh = LANGUAGES[next.id].resource !== undefined;
        const reason = await testLanguage(deps, next, { slot, signal, fresh });
        if (reason !== undefined) reasons.set(next.id, reason);
      }
    }),
  );
  return {
    offered: found.filter(({ id }) => !reasons.has(id)),
    notOffered: [...reasons].map(([id, reason]) => ({ id, reason })),
  };
}

const NUMBER = 41;
const COMPILE_LIMITS = {
  cpuMs: 60_000,
  wallMs: 120_000,
  memoryKiB: 2_097_152,
  outputKiB: 262_144,
  processes: 256,
};
const RUN_LIMITS = { cpuMs: 10_000, wallMs: 30_000, memoryKiB: 524_288, outputKiB: 64 };
const RUN_MEMORY_MIB = 256;

/** Undefined when the language works, else why it is not offered. `fresh`: what passed before does not count. */
export async function testLanguage(
  deps: SelfTestDeps,
  language: FoundLanguage,
  how: { readonly slot: number; readonly signal: AbortSignal; readonly fresh: boolean },
): Promise<string | undefined> {
  const { definition, toolchain } = language;
  const folder = join(deps.workDir, "selftest");
  const passed = join(folder, `${definition.id}-${await fingerprint(language)}`);
  if (!how.fresh && (await isThere(passed))) return undefined;
  const name = `${definition.id}-${randomUUID()}`;
  const dir = join(folder, name);
  const box = join(dir, "box");
  await mkdir(box, { recursive: true });
  try {
    const file = LANGUAGES[definition.id].defaultFile;
    await writeFile(join(box, file), definition.selfTest);
    await writeFile(join(dir, "in"), `${NUMBER}\n`);
    const input = { toolchain, files: [file], memoryMiB: RUN_MEMORY_MIB };
    const at = {
      slot: how.slot,
      env: toolchain.env,
      box,
      mounts: toolchain.mounts,
      stderr: join(dir, "err"),
    };
    const steps: { readonly what: string; readonly request: RunRequest }[] = [];
    const compile = definition.compile?.(input);
    if (compile !== undefined) {
      steps.push({
        what: "compile",
        request: {
          ...at,
          argv: compile,
          boxWritable: true,
          stdin: null,
          stdout: null,
          limits: COMPILE_LIMITS,
        },
      });
    }
    steps.push({
      what: "run",
      request: {
        ...at,
        argv: definition.run(input),
        boxWritable: false,
        stdin: join(dir, "in"),
        stdout: join(dir, "out"),
        limits: { ...RUN_LIMITS, processes: definition.processes },
      },
    });
    for (const { what, request } of steps) {
      const { status } = await deps.sandbox.run(request, how.signal);
      if (status.type === "exited" && status.code === 0) continue;
      const words = (await readFile(join(dir, "err"), "utf8")).trim().slice(0, 500);
      return `its self-test does not ${what} (${JSON.stringify(status)}): ${words}`;
    }
    const answer = (await readFile(join(dir, "out"), "utf8")).trim();
    if (answer !== String(NUMBER + 1)) return `its self-test printed ${JSON.stringify(answer.slice(0, 100))}`;
    await writeFile(passed, "");
    return undefined;
  } finally {
    await deps.sandbox.remove(dir);
  }
}

async function proveSandbox({ sandbox, workDir }: SelfTestDeps, signal: AbortSignal): Promise<void> {
  const dir = join(workDir, "selftest");
  const box = join(dir, "empty");
  await mkdir(box, { recursive: true });
  await chmod(box, 0o755);
  const err = join(dir, "sandbox-stderr");
  const { status } = await sandbox.run(
    {
      slot: 0,
      argv: ["/bin/true"],
      env: {},
      box,
      boxWritable: false,
      mounts: [],
      stdin: null,
      stdout: null,
      stderr: err,
      limits: { ...RUN_LIMITS, processes: 1 },
    },
    signal,
  );
  if (status.type !== "exited" || status.code !== 0) {
    const words = (await readFile(err, "utf8")).slice(0, 500);
    throw new SandboxFault(`the sandbox cannot run even /bin/true: ${JSON.stringify(status)} ${words}`);
  }
}

/** Changes whenever the toolchain, our way of calling it or the program it is tested by does. */
async function fingerprint({ definition, toolchain }: FoundLanguage): Promise<string> {
  const input = { toolchain, files: [LANGUAGES[definition.id].defaultFile], memoryMiB: RUN_MEMORY_MIB };
  const hosts = [...Object.values(toolchain.programs), ...toolchain.mounts.map(({ host }) => host)];
  const stamps = await Promise.all(
    hosts.map(async (path) => {
      try {
        const { mtimeMs, size, ino } = await stat(path);
        return [path, mtimeMs, size, ino];
      } catch {
        // Named as seen inside the sandbox, or readable by root only: the mount's version line stands for it.
        return [path];
      }
    }),
  );
  const parts = [definition.selfTest, definition.compile?.(input), definition.run(input), toolchain, stamps];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 32);
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}
