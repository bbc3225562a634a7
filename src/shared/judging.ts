import { z } from "zod";
import { ProblemId, Sha256 } from "./ids.ts";
import { LanguageId } from "./language.ts";
import { Verdict } from "./verdict.ts";

/** The first kind of work: compile a program, run it on tests, validate. Payload and results of kind "judge". */
export const JUDGE_KIND = "judge";

export const SourceFile = z.object({ name: z.string(), sha256: Sha256, sizeBytes: z.int().min(0) });
export type SourceFile = z.infer<typeof SourceFile>;

export const JudgePayload = z.object({
  language: LanguageId,
  files: z.array(SourceFile).min(1),
  /** Main file or class, where the language needs one and it cannot be told from the files. */
  entryPoint: z.string().optional(),
  problem: ProblemId,
  /** Blob with the ProblemManifest (JSON) that was current at submit. */
  manifest: Sha256,
});
export type JudgePayload = z.infer<typeof JudgePayload>;

export const CompileReport = z.object({
  ok: z.boolean(),
  cpuMs: z.number(),
  wallMs: z.number(),
  /** True when the artefact came from the executor's cache. */
  cached: z.boolean(),
  /** The compiler's words, bounded, paths cleaned; for the owner. */
  message: z.string(),
});
export type CompileReport = z.infer<typeof CompileReport>;

export const TestReport = z.object({
  /** Path below the package's data folder without ending, e.g. "secret/02-large". */
  name: z.string(),
  verdict: Verdict,
  cpuMs: z.number(),
  wallMs: z.number(),
  memoryKiB: z.number(),
  /** Exit code or signal of the program, where it says something. Jury only. */
  exit: z.string().optional(),
  /** What the validator wrote for the jury, bounded. */
  judgeMessage: z.string().optional(),
  /** What the validator wrote for the owner, bounded. */
  teamMessage: z.string().optional(),
});
export type TestReport = z.infer<typeof TestReport>;

/** Cumulative state of one judging; `compiled` and `progress` events carry it. */
export const JudgeProgress = z.object({
  compile: CompileReport.optional(),
  /** Within GraphQL's Int. */
  testsTotal: z
    .int()
    .min(0)
    .max(2 ** 31 - 1),
  tests: z.array(TestReport),
});
export type JudgeProgress = z.infer<typeof JudgeProgress>;

/** The whole result; the `finished` event carries it. */
export const JudgeResult = JudgeProgress.extend({
  verdict: Verdict,
  /** Largest over the tests run. */
  cpuMs: z.number(),
  memoryKiB: z.number(),
});
export type JudgeResult = z.infer<typeof JudgeResult>;

/** Hidden data stays inside: test names and numbers may be shown, inputs and answers never. */
export const ManifestTest = z.object({
  name: z.string(),
  sample: z.boolean(),
  input: Sha256,
  answer: Sha256,
  inputBytes: z.int(),
  answerBytes: z.int(),
  /** Output validator flags of this test, replacing the problem's where given. */
  validatorArgs: z.array(z.string()).optional(),
});
export type ManifestTest = z.infer<typeof ManifestTest>;

export const ManifestValidator = z.discriminatedUnion("type", [
  /** The format's default output validator. */
  z.object({ type: z.literal("default"), args: z.array(z.string()) }),
  /** The package's own program: exit code 42 accepts, 43 rejects. */
  z.object({
    type: z.literal("custom"),
    args: z.array(z.string()),
    language: LanguageId,
    files: z.array(SourceFile).min(1),
    /** Script that starts a validator of several files, where the language needs to know. */
    entryPoint: z.string().optional(),
  }),
]);
export type ManifestValidator = z.infer<typeof ManifestValidator>;

/** All that an executor must know of a problem; stored as a blob, so a version never changes. */
export const ProblemManifest = z.object({
  v: z.literal(1),
  problem: ProblemId,
  name: z.string(),
  limits: z.object({
    /** CPU time of one test before language factors, milliseconds. */
    timeMs: z.int().min(1),
    memoryMiB: z.int().min(1),
    outputMiB: z.int().min(1),
    codeKiB: z.int().min(1),
    compilationTimeMs: z.int().min(1),
    compilationMemoryMiB: z.int().min(1),
    validationTimeMs: z.int().min(1),
    validationMemoryMiB: z.int().min(1),
    validationOutputMiB: z.int().min(1),
  }),
  /** False: the first failing test ends the judging. */
  runAllTests: z.boolean(),
  tests: z.array(ManifestTest).min(1),
  validator: ManifestValidator,
});
export type ProblemManifest = z.infer<typeof ProblemManifest>;
