import { z } from "zod";
import { Sha256 } from "./ids.ts";
import { CompileReport, SourceFile } from "./judging.ts";
import { LanguageId } from "./language.ts";

/**
 * A program on somebody's own input, without a problem: the second kind of work in the languages' queues. Payload and
 * result of kind "run".
 */
export const CODE_RUN_KIND = "run";

/** What one run may use, before what the language adds. */
export const CodeRunLimits = z.object({
  /** CPU time, milliseconds. */
  timeMs: z.int().min(1),
  memoryMiB: z.int().min(1),
  /** Largest file that it may write, standard output included. */
  outputKiB: z.int().min(1),
  /** Bytes kept of each of its outputs. */
  shownBytes: z.int().min(1),
});
export type CodeRunLimits = z.infer<typeof CodeRunLimits>;

/** What somebody wants run, as it is stored and as the job carries it. */
export const CodeRunInput = z.object({
  /** Main file or class, where the language needs one and it cannot be told from the files. */
  entryPoint: z.string().optional(),
  /** Blob with the standard input; nothing where it is missing. */
  stdin: z.object({ sha256: Sha256, sizeBytes: z.int().min(0) }).optional(),
  limits: CodeRunLimits,
});
export type CodeRunInput = z.infer<typeof CodeRunInput>;

export const CodeRunPayload = CodeRunInput.extend({
  language: LanguageId,
  files: z.array(SourceFile).min(1),
});
export type CodeRunPayload = z.infer<typeof CodeRunPayload>;

/** OK: it ended by itself with exit code 0; the others as the verdicts of the same name. */
export const CodeRunOutcome = z.enum(["OK", "CE", "TLE", "MLE", "OLE", "RTE"]);
export type CodeRunOutcome = z.infer<typeof CodeRunOutcome>;

/** The beginning of what a program wrote, as UTF-8; what is no UTF-8 shows as U+FFFD. */
export const Written = z.object({ text: z.string(), truncated: z.boolean() });
export type Written = z.infer<typeof Written>;

/** Known so far; `outcome` is there once it has ended. */
export const CodeRunResult = z.object({
  compile: CompileReport.optional(),
  outcome: CodeRunOutcome.optional(),
  run: z
    .object({
      exitCode: z.int().optional(),
      signal: z.string().optional(),
      cpuMs: z.number(),
      wallMs: z.number(),
      memoryKiB: z.number(),
      stdout: Written,
      stderr: Written,
    })
    .optional(),
});
export type CodeRunResult = z.infer<typeof CodeRunResult>;

/** Limits of compiling: those that the problem package format has where a problem names none. */
export const CODE_RUN_COMPILING = { compilationTimeMs: 60_000, compilationMemoryMiB: 2_048 } as const;
