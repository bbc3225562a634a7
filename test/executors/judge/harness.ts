import { createHash, randomInt } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import { openJudge } from "../../../src/executors/judge/open.ts";
import type { UsableLanguage } from "../../../src/executors/judge/compiler.ts";
import { openIsolates } from "../../../src/executors/sandbox/isolate.ts";
import { dropPrivileges, openSandbox } from "../../../src/executors/sandbox/native.ts";
import { createTurnstile } from "../../../src/executors/sandbox/turnstile.ts";
import { isolateMounts } from "../../../src/executors/sandbox/warmchild.ts";
import { BlobFault, type BlobSource, type Outcome, type WorkContext } from "../../../src/executors/work.ts";
import { systemClock } from "../../../src/shared/clock.ts";
import { CODE_RUN_KIND, type CodeRunPayload } from "../../../src/shared/coderun.ts";
import { ProblemId, Sha256, SubmissionId } from "../../../src/shared/ids.ts";
import {
  JudgeProgress,
  JudgeResult,
  type ManifestTest,
  type ManifestValidator,
  type ProblemManifest,
  type SourceFile,
} from "../../../src/shared/judging.ts";
import { LANGUAGE_IDS, LANGUAGES, type LanguageId } from "../../../src/shared/language.ts";
import { DEFAULT_LIMITS, type Limits } from "../../../src/shared/limits.ts";
import { createLog } from "../../../src/shared/log.ts";
import { Job } from "../../../src/shared/protocol.ts";
import { binaryPath } from "../../support/binaries.ts";

/** Uid and gid of the tests' executor, and of the first slot: like a pool's, but of no account. */
const UID = 62_000;
const SLOT_UID_BASE = 62_100;
const SLOTS = 2;

export interface TestCase {
  readonly input: string;
  readonly answer: string;
  readonly validatorArgs?: readonly string[];
  readonly args?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
}

export interface JudgeRequest {
  readonly language: LanguageId;
  /** One source text, or files by name. */
  readonly source: string | Readonly<Record<string, string>>;
  readonly tests?: readonly TestCase[];
  readonly limits?: Partial<ProblemManifest["limits"]>;
  readonly runAllTests?: boolean;
  readonly validator?: {
    readonly language: LanguageId;
    readonly files: Readonly<Record<string, string>>;
    readonly testlib?: boolean;
    readonly script?: boolean;
  };
  readonly validatorArgs?: readonly string[];
  /** What else the manifest says. */
  readonly manifest?: Partial<ProblemManifest>;
  readonly slot?: number;
  /** Slots beside the job's own; by default there are none. */
  readonly lendSlot?: WorkContext["lendSlot"];
  readonly signal?: AbortSignal;
  /** Called at each report. */
  readonly onReport?: (type: "compiled" | "progress", result: JudgeProgress) => void;
}

/**
 * A judge on the real sandbox, in a process that has given up root for good: a test file that opens one must not need
 * root afterwards. `workDir` may be used again by the next one.
 */
export async function openJudging(options: {
  readonly workDir?: string;
  readonly usable: (id: LanguageId) => UsableLanguage | undefined;
  readonly mounts?: UsableLanguage["toolchain"]["mounts"];
  /** As open.ts has it. */
  readonly cpuPressure?: () => number;
}) {
  const workDir = options.workDir ?? realpathSync(mkdtempSync(join(tmpdir(), "docket-judge-")));
  const withIsolates = LANGUAGE_IDS.some((id) => options.usable(id)?.definition.engine === "isolate");
  const native = await openSandbox({
    executor: `judge-${process.pid}-${randomInt(1e9)}`,
    workDir,
    bwrap: binaryPath("bwrap"),
    uid: UID,
    slots: SLOTS,
    slotUidBase: SLOT_UID_BASE,
    mounts: [...(options.mounts ?? []), ...(withIsolates ? isolateMounts(process.execPath) : [])],
  });
  if (process.getuid?.() === 0) dropPrivileges(UID, workDir);
  const isolates = withIsolates
    ? await openIsolates({ native, workDir, slots: SLOTS, monotonicMs: () => performance.now() })
    : undefined;
  const sandbox = createTurnstile({ sandbox: isolates ?? native, lock: undefined, clock: systemClock });
  const blobFolder = join(workDir, "blobs");
  mkdirSync(blobFolder, { recursive: true });
  let registry = new Registry();
  const open = (more: Partial<Limits>) => {
    registry = new Registry();
    const { usable: language } = options;
    const limits = { ...DEFAULT_LIMITS, ...more };
    const { cpuPressure } = options;
    return openJudge({ sandbox, workDir, limits, clock: systemClock, registry, language, cpuPressure });
  };
  let { judge: work, codeRun } = await open({});

  const put = (content: string | Buffer): { sha256: Sha256; sizeBytes: number } => {
    const bytes = Buffer.from(content);
    const sha256 = Sha256.parse(createHash("sha256").update(bytes).digest("hex"));
    writeFileSync(join(blobFolder, sha256), bytes);
    return { sha256, sizeBytes: bytes.length };
  };
  let pins = 0;
  const blobs: BlobSource = {
    open: (sha256) => {
      const path = join(blobFolder, sha256);
      if (!existsSync(path))
        return Promise.reject(new BlobFault("BLOB_UNAVAILABLE", `no blob ${sha256}`, true));
      pins += 1;
      return Promise.resolve({ path, release: () => void (pins -= 1) });
    },
  };
  const putFiles = (files: Readonly<Record<string, string>>): SourceFile[] =>
    Object.entries(files).map(([name, text]) => ({ name, ...put(text) }));

  function jobOf(request: JudgeRequest): Job {
    const { validator, validatorArgs = [] } = request;
    const files =
      typeof request.source === "string"
        ? { [LANGUAGES[request.language].defaultFile]: request.source }
        : request.source;
    const tests = (request.tests ?? [{ input: "1\n", answer: "2\n" }]).map((test, i): ManifestTest => {
      const input = put(test.input);
      const answer = put(test.answer);
      return {
        name: `secret/${i + 1}`,
        sample: false,
        input: input.sha256,
        answer: answer.sha256,
        inputBytes: input.sizeBytes,
        answerBytes: answer.sizeBytes,
        ...(test.validatorArgs === undefined ? {} : { validatorArgs: [...test.validatorArgs] }),
        ...(test.args === undefined ? {} : { args: [...test.args] }),
        ...(test.files === undefined ? {} : { files: putFiles(test.files) }),
      };
    });
    const manifest: ProblemManifest = {
      v: 1,
      problem: ProblemId.parse("plus-one"),
      name: "Plus one",
      limits: {
        timeMs: 1_000,
        memoryMiB: 256,
        outputMiB: 1,
        codeKiB: 128,
        compilationTimeMs: 30_000,
        compilationMemoryMiB: 1_024,
        validationTimeMs: 2_000,
        validationMemoryMiB: 256,
        validationOutputMiB: 1,
        ...request.limits,
      },
      runAllTests: request.runAllTests ?? false,
      tests,
      validator:
        validator === undefined
          ? { type: "default", args: [...validatorArgs] }
          : ({
              type: "custom",
              args: [...validatorArgs],
              language: validator.language,
              files: putFiles(validator.files),
              ...(validator.script === undefined ? {} : { script: validator.script }),
              ...(validator.testlib === undefined ? {} : { testlib: validator.testlib }),
            } satisfies ManifestValidator),
      ...request.manifest,
    };
    return Job.parse({
      v: 1,
      kind: "judge",
      submission: SubmissionId.parse("0".repeat(26)),
      generation: 1,
      dispatch: 1,
      language: request.language,
      lane: "practice",
      capability: "none",
      deadlineMs: 600_000,
      payload: {
        language: request.language,
        files: putFiles(files),
        problem: manifest.problem,
        manifest: put(JSON.stringify(manifest)).sha256,
      },
    });
  }

  const context = (
    request: Pick<JudgeRequest, "slot" | "lendSlot" | "signal" | "onReport">,
  ): WorkContext => ({
    slot: request.slot ?? 0,
    lendSlot: () => request.lendSlot?.(),
    signal: request.signal ?? new AbortController().signal,
    blobs,
    log: createLog("judge", "silent"),
    report: (type, result) => request.onReport?.(type, JudgeProgress.parse(structuredClone(result))),
  });

  return {
    workDir,
    native,
    isolates,
    /** Metrics since the last restart. */
    metrics: () => registry.metrics(),
    /** Blobs that are still held; nought when nothing runs. */
    pins: () => pins,
    put,
    blobPath: (content: string) => join(blobFolder, put(content).sha256),
    jobOf,
    run: (
      job: Job,
      request: Pick<JudgeRequest, "slot" | "lendSlot" | "signal" | "onReport"> = {},
    ): Promise<Outcome> => work.run(job, context(request)),
    /** Runs a job of kind "run". */
    runCode: (payload: CodeRunPayload, signal?: AbortSignal): Promise<Outcome> =>
      codeRun.run(
        Job.parse({ ...jobOf({ language: payload.language, source: "x" }), kind: CODE_RUN_KIND, payload }),
        context(signal === undefined ? {} : { signal }),
      ),
    outcome: (request: JudgeRequest): Promise<Outcome> => work.run(jobOf(request), context(request)),
    /** The result of a judging that must finish. */
    async judge(request: JudgeRequest): Promise<JudgeResult> {
      const outcome = await work.run(jobOf(request), context(request));
      if (outcome.type !== "finished") throw new Error(`not finished: ${JSON.stringify(outcome)}`);
      return JudgeResult.parse(outcome.result);
    },
    /** As after a restart of the executor: the same folder, nothing remembered; other limits where given. */
    async restart(limits: Partial<Limits> = {}): Promise<void> {
      ({ judge: work, codeRun } = await open(limits));
    },
    async close(): Promise<void> {
      await isolates?.close();
      await native.close();
      rmSync(workDir, { recursive: true, force: true });
    },
  };
}

export type Judging = Awaited<ReturnType<typeof openJudging>>;
