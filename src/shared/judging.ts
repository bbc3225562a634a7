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
  /** Runs on after a rejected test, where that can change no score. */
  allTests: z.boolean().optional(),
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

/** That a test was run twice since its first time was no proof; what else is told of it is the second run's. */
export const RerunAlone = z.object({
  /** The first run ended just over the time limit, or it was over it on a machine that had not the time for it. */
  reason: z.enum(["nearLimit", "saturated"]),
  firstCpuMs: z.number(),
  firstWallMs: z.number(),
});
export type RerunAlone = z.infer<typeof RerunAlone>;

export const TestReport = z.object({
  /** Path below the package's data folder without ending, e.g. "secret/02-large". */
  name: z.string(),
  verdict: Verdict,
  cpuMs: z.number(),
  wallMs: z.number(),
  memoryKiB: z.number(),
  /** Exit code or signal of the program, where it says something. Jury only. */
  exit: z.string().optional(),
  /** What the program wrote to its error output: beginning and end, bounded. Jury only. */
  errorOutput: z.string().optional(),
  /** What the validator wrote for the jury, bounded. */
  judgeMessage: z.string().optional(),
  /** What the validator wrote for the owner, bounded. */
  teamMessage: z.string().optional(),
  /** Of a scoring problem. */
  score: z.number().optional(),
  /** Set when it was run again with the machine to itself. */
  rerunAlone: RerunAlone.optional(),
  /** The beginning of what program and validator of an interactive problem said to each other. Jury only. */
  transcript: z.string().optional(),
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

/** A group of tests, as far as its tests were run. */
export const GroupReport = z.object({
  /** Path below the package's data folder, e.g. "secret/group1"; "" is all of it. */
  name: z.string(),
  verdict: Verdict,
  /** Of a scoring problem. */
  score: z.number().optional(),
  /** The most that the group can give, where there is such a number. */
  maxScore: z.number().optional(),
});
export type GroupReport = z.infer<typeof GroupReport>;

/** The whole result; the `finished` event carries it. */
export const JudgeResult = JudgeProgress.extend({
  verdict: Verdict,
  /** Of a scoring problem. */
  score: z.number().optional(),
  /** Of a problem with groups of tests, in the order of the format. */
  groups: z.array(GroupReport).optional(),
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
  /** The program's command line arguments. */
  args: z.array(z.string()).optional(),
  /** Put beside the program before it is run; names may lead into folders. */
  files: z.array(SourceFile).optional(),
  /** Place in the manifest's `groups`; needed as soon as there are any. */
  group: z.int().min(0).optional(),
  /** Where tests of a group differ in that: what it gives when accepted, and the most that the validator can give. */
  points: z.number().min(0).optional(),
});
export type ManifestTest = z.infer<typeof ManifestTest>;

/**
 * How a group's verdict and score come of its tests and groups. `verdict`: the first rejected one decides, no score.
 * `legacy`: the flags of the format's default grader. `aggregate`: `score_aggregation` and `max_score` of the 2025-09
 * layout, null is unbounded.
 */
export const Grading = z.discriminatedUnion("type", [
  z.object({ type: z.literal("verdict") }),
  z.object({
    type: z.literal("legacy"),
    verdict: z.enum(["first", "worst", "accept"]),
    score: z.enum(["sum", "avg", "min", "max"]),
    /** Only the last child (secret) counts. */
    ignoreSample: z.boolean(),
    acceptIfAnyAccepted: z.boolean(),
    /** Of a test whose validator gives no score. */
    acceptScore: z.number(),
    rejectScore: z.number(),
    /** Of what the group's score must be; undefined: without an end. */
    least: z.number().optional(),
    most: z.number().optional(),
  }),
  z.object({
    type: z.literal("aggregate"),
    by: z.enum(["pass-fail", "sum", "min"]),
    maxScore: z.number().nullable(),
    /** The most that one of its tests can give: undefined where tests have no score, null without an end. */
    testScore: z.number().nullable().optional(),
  }),
]);
export type Grading = z.infer<typeof Grading>;

export const ManifestGroup = z.object({
  /** Path below the package's data folder; "" is all of it. */
  name: z.string(),
  /** Place in `groups` of the one that it is in: that one comes before it. None: the root. */
  parent: z.int().min(0).optional(),
  /** The first rejected test or group in it ends it. */
  breaks: z.boolean(),
  /** Places of groups of which all tests must be accepted, or nothing of this one is run. */
  requires: z.array(z.int().min(0)).optional(),
  grading: Grading,
});
export type ManifestGroup = z.infer<typeof ManifestGroup>;

/** A program of the package: exit code 42 accepts, 43 rejects. */
const ManifestProgram = z.object({
  type: z.literal("custom"),
  args: z.array(z.string()),
  language: LanguageId,
  files: z.array(SourceFile).min(1),
  /** Script that starts a program of several files, where the language needs to know. */
  entryPoint: z.string().optional(),
  /** Its `build` is run in place of a compiler, and its `run` is the program; `language` says nothing then. */
  script: z.boolean().optional(),
  /** Exit codes and order of arguments of Codeforces' testlib: of an interactor where the problem is interactive. */
  testlib: z.boolean().optional(),
});
export type ManifestProgram = z.infer<typeof ManifestProgram>;

export const ManifestValidator = z.discriminatedUnion("type", [
  /** The format's default output validator. */
  z.object({ type: z.literal("default"), args: z.array(z.string()) }),
  ManifestProgram,
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
  /** False: the first failing test ends the judging. Says nothing where there are groups. */
  runAllTests: z.boolean(),
  /** In the order of the format, the root first; none: all tests are one group. */
  groups: z.array(ManifestGroup).min(1).optional(),
  /** Put beside a submission before it is compiled, by language or for all ("default"). */
  include: z.record(z.string(), z.array(SourceFile)).optional(),
  /** Submissions may write files beside themselves. */
  writesFiles: z.boolean().optional(),
  /** Submissions are the answers themselves: a file for each test. */
  submitAnswer: z.boolean().optional(),
  /** Program and validator talk to each other. */
  interactive: z.boolean().optional(),
  /** Of a multi-pass problem: most runs of one test. */
  passes: z.int().min(2).optional(),
  /** Submissions get a score. */
  scoring: z.boolean().optional(),
  /** Legacy `validation: custom score`: each accepted test must have a score of the validator. */
  validatorScores: z.boolean().optional(),
  tests: z.array(ManifestTest).min(1),
  validator: ManifestValidator,
  /** Of an interactive problem: judges the file that testlib's interactor wrote, once that has accepted. */
  checker: ManifestProgram.optional(),
});
export type ProblemManifest = z.infer<typeof ProblemManifest>;
