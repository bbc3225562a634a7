import { chmod, copyFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { CompileReport, SourceFile } from "../../shared/judging.ts";
import { LANGUAGES, type LanguageId } from "../../shared/language.ts";
import type { Limits } from "../../shared/limits.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { BlobSource } from "../work.ts";
import { type Artefact, type ArtefactCache, artefactKey } from "./artefacts.ts";
import { compileRequest, COMPILER_OUTPUT_KIB, type CompileLimits, type UsableLanguage } from "./compiler.ts";
import { JudgeFault } from "./faults.ts";
import { type FinishedRun, readWords, runToEnd } from "./run.ts";
import { findBroken } from "./toolchainproof.ts";
import { TooLarge } from "./tree.ts";
import type { Workspace } from "./workspace.ts";

export interface BuildDeps {
  readonly sandbox: Sandbox;
  readonly artefacts: ArtefactCache;
  readonly limits: Pick<Limits, "compileMessageCharacters">;
  /** How much this machine's processes wait for a CPU, 0 to 1. */
  readonly cpuPressure: () => number;
  /** Undefined: not offered by this executor. */
  readonly language: (id: LanguageId) => UsableLanguage | undefined;
}

export interface BuildInput {
  readonly language: LanguageId;
  readonly files: readonly SourceFile[];
  readonly entryPoint?: string | undefined;
  readonly limits: CompileLimits;
  readonly slot: number;
  readonly workspace: Workspace;
  readonly blobs: BlobSource;
  readonly signal: AbortSignal;
}

/** A program that can be run: what runs it and the folder for its /box. */
export interface Program extends UsableLanguage {
  readonly artefact: Artefact;
  readonly files: readonly string[];
  readonly entryPoint: string | undefined;
}

export type Build =
  | { readonly type: "built"; readonly program: Program; readonly report: CompileReport }
  /** The program's own fault: a compile error, or a compile limit. */
  | { readonly type: "refused"; readonly report: CompileReport };

/** A name that is no option, no hidden file and no way out of /box. Folders are allowed. */
const SAFE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.+-]*(\/[A-Za-z0-9_][A-Za-z0-9_.+-]*){0,7}$/;

/**
 * Compiles, or finds the same program compiled before; then not even the sources are fetched. Throws JudgeFault,
 * BlobFault and SandboxFault for our own trouble, and the signal's reason when stopped.
 */
export async function build(deps: BuildDeps, input: BuildInput): Promise<Build> {
  const usable = deps.language(input.language);
  if (usable === undefined) {
    throw new JudgeFault({
      code: "LANGUAGE_NOT_OFFERED",
      message: `this executor does not offer ${LANGUAGES[input.language].name}`,
      retry: true,
    });
  }
  const names = input.files.map((file) => file.name);
  const unsafe = names.find((name) => !SAFE_NAME.test(name) || name.length > 255);
  if (unsafe !== undefined || new Set(names).size < names.length) {
    const message =
      unsafe === undefined ? "two source files have one name" : `unsafe file name ${JSON.stringify(unsafe)}`;
    throw new JudgeFault({ code: "JOB_MALFORMED", message, retry: false });
  }
  const { definition, toolchain } = usable;
  const command = definition.compile?.({ toolchain, files: names, entryPoint: input.entryPoint });
  const program = { ...usable, files: names, entryPoint: input.entryPoint };
  const key = artefactKey([
    definition.id,
    toolchain.version,
    command ?? null,
    toolchain.env,
    input.files.map((file) => [file.name, file.sha256]),
  ]);
  const cached = await deps.artefacts.find(key);
  if (cached !== undefined) {
    const report = { ok: true, cpuMs: 0, wallMs: 0, cached: true, message: "" };
    return { type: "built", program: { ...program, artefact: cached }, report };
  }

  const box = await writeSources(input);
  const check = definition.isolateCheck?.({ toolchain, files: names, entryPoint: input.entryPoint });
  const compiled =
    command === undefined ? undefined : await compile(deps, input, usable, { box, command, check });
  const report = {
    ok: true,
    cpuMs: compiled?.run.cpuMs ?? 0,
    wallMs: compiled?.run.wallMs ?? 0,
    cached: false,
    message: compiled?.message ?? "",
  };
  if (compiled?.refusal !== undefined) {
    return { type: "refused", report: { ...report, ok: false, message: compiled.refusal } };
  }
  try {
    return { type: "built", program: { ...program, artefact: await deps.artefacts.store(key, box) }, report };
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    return {
      type: "refused",
      report: { ...report, ok: false, message: `The compiled program is too large: ${error.message}.` },
    };
  }
}

async function writeSources(input: BuildInput): Promise<string> {
  const box = await input.workspace.writableFolder(`build-${input.language}`);
  for (const file of input.files) {
    const blob = await input.blobs.open(file.sha256);
    try {
      const path = join(box, file.name);
      await mkdir(dirname(path), { recursive: true });
      await copyFile(blob.path, path);
      await chmod(path, 0o644);
    } finally {
      blob.release();
    }
  }
  return box;
}

interface Compiled {
  readonly run: FinishedRun;
  /** The compiler's words, for the owner. */
  readonly message: string;
  /** Why there is no program. */
  readonly refusal: string | undefined;
}

/** How gcc, ld, go and rustc say that one of their processes was killed: not what a program's mistake looks like. */
const PART_KILLED = /\bKilled signal\b|\bsignal:? (9|killed)\b|\bSIGKILL\b/;

/** A compiler that says that a part of it was killed is run once more, as the kill may have come from outside. */
async function compile(
  deps: BuildDeps,
  input: BuildInput,
  usable: UsableLanguage,
  what: {
    readonly box: string;
    readonly command: readonly [string, ...string[]];
    readonly check: string | undefined;
  },
): Promise<Compiled> {
  const { workspace, slot, signal } = input;
  const out = workspace.file("compiler-stdout");
  const err = workspace.file("compiler-stderr");
  const request = {
    ...compileRequest(usable, input.limits, deps.cpuPressure()),
    argv: what.command,
    ...(what.check === undefined ? {} : { isolate: { script: what.check, checkOnly: true } }),
    box: what.box,
    slot,
    stdout: out,
    stderr: err,
  };
  let run = await runToEnd(deps.sandbox, request, signal);
  let message = compilerWords([err, out], deps.limits.compileMessageCharacters);
  let refusal = refusalOf(run, message, input.limits);
  if (run.status.type === "exited" && refusal !== undefined && PART_KILLED.test(message)) {
    run = await runToEnd(deps.sandbox, request, signal);
    message = compilerWords([err, out], deps.limits.compileMessageCharacters);
    refusal = refusalOf(run, message, input.limits);
  }
  if (refusal === undefined) return { run, message, refusal };
  // Before a program is blamed: does the toolchain still compile the language's own small program?
  const broken = await findBroken(deps, usable, { slot, workspace, signal });
  if (broken !== undefined) {
    throw new JudgeFault({
      code: "TOOLCHAIN_BROKEN",
      message: `${usable.toolchain.version} no longer compiles its own self-test`,
      log: broken,
      retry: true,
    });
  }
  return { run, message, refusal };
}

function refusalOf(run: FinishedRun, message: string, limits: CompileLimits): string | undefined {
  const { status } = run;
  if (status.type === "exited") {
    if (status.code === 0) return undefined;
    return message === "" ? `The compiler ended with exit code ${status.code} and said nothing.` : message;
  }
  return `${stoppedWhy(run, status, limits)}${message === "" ? "" : `\n${message}`}`;
}

function stoppedWhy(
  { wallMs }: FinishedRun,
  status: Exclude<FinishedRun["status"], { type: "exited" }>,
  { compilationTimeMs, compilationMemoryMiB }: CompileLimits,
): string {
  if (status.type === "signalled") return `The compiler crashed on this program (${status.signal}).`;
  const seconds = compilationTimeMs / 1000;
  const reasons = {
    cpu: `Compiling took more than the ${seconds} s of CPU time it may take.`,
    wall: `Compiling came to no end within ${Math.round(wallMs / 1000)} s.`,
    memory: `Compiling needed more than the ${compilationMemoryMiB} MiB of memory it may use.`,
    output: `Compiling wrote a file of more than ${COMPILER_OUTPUT_KIB / 1024} MiB.`,
  };
  return reasons[status.limit];
}

function compilerWords(files: readonly string[], characters: number): string {
  const words = files
    .map((file) => readWords(file, characters + 1).trim())
    .filter((text) => text !== "")
    .join("\n")
    .replaceAll("/box/", "");
  return words.length > characters ? `${words.slice(0, characters - 1)}…` : words;
}
