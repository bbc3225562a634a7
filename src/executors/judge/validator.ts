import { join } from "node:path";
import type { ProblemManifest } from "../../shared/judging.ts";
import type { Limits } from "../../shared/limits.ts";
import { parseValidatorFlags } from "../../shared/validatorflags.ts";
import { compareOutput } from "../checker/compare.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { Program } from "./build.ts";
import { JudgeFault } from "./faults.ts";
import type { GivenScore } from "./grade.ts";
import { programRequest, runLimits } from "./program.ts";
import { type FinishedRun, readWords, runToEnd } from "./run.ts";
import type { TestData } from "./testdata.ts";
import type { Workspace } from "./workspace.ts";

/** What an output is judged by: the test and the host path of what the program wrote. */
export interface Exhibit extends Pick<TestData, "test" | "input" | "answer"> {
  readonly output: string;
}

export interface Validation {
  readonly verdict: "AC" | "WA";
  readonly judgeMessage?: string;
  readonly teamMessage?: string;
  /** Of a scoring problem, when accepted. */
  readonly score?: GivenScore;
}

/** Throws JudgeFault VALIDATOR_FAILED when the validator is at fault, and the signal's reason when stopped. */
export type Validate = (exhibit: Exhibit) => Promise<Validation>;

export function defaultValidator(
  args: readonly string[],
  limits: Pick<Limits, "judgeMessageCharacters">,
): Validate {
  return async ({ test, output, answer }) => {
    const parsed = parseValidatorFlags(test.validatorArgs ?? args);
    if (!parsed.ok) throw new JudgeFault({ code: "VALIDATOR_FAILED", message: parsed.message, retry: false });
    const { accepted, message } = await compareOutput(parsed.flags, { output, answer });
    if (accepted) return { verdict: "AC" };
    return { verdict: "WA", judgeMessage: message.slice(0, limits.judgeMessageCharacters) };
  };
}

const ACCEPTED = 42;
const REJECTED = 43;

export interface CustomValidatorDeps {
  readonly sandbox: Sandbox;
  readonly limits: Pick<Limits, "judgeMessageCharacters">;
  readonly workspace: Workspace;
  readonly slot: number;
  readonly signal: AbortSignal;
  readonly cpuPressure: () => number;
}

/**
 * The package's own program, in the sandbox: `validator input answer feedback_dir [args]`, the output on its standard
 * input; 42 accepts, 43 rejects, everything else is a fault of the problem. Source: problem package format, "Output
 * Validators".
 */
export function customValidator(
  deps: CustomValidatorDeps,
  validator: Program,
  manifest: ProblemManifest,
  args: readonly string[],
): Validate {
  const { workspace, slot, signal } = deps;
  const characters = deps.limits.judgeMessageCharacters;
  const { validationTimeMs, validationMemoryMiB, validationOutputMiB } = manifest.limits;
  const plain = { timeMs: validationTimeMs, memoryMiB: validationMemoryMiB, outputMiB: validationOutputMiB };
  const base = programRequest(validator, validationMemoryMiB);

  return async ({ test, input, answer, output }) => {
    const feedback = await workspace.writableFolder("feedback");
    const stderr = workspace.file("validator-stderr");
    const limits = runLimits(validator, plain, { timeFactor: 1, pressure: deps.cpuPressure() });
    const run = await runToEnd(
      deps.sandbox,
      {
        ...base,
        argv: [...base.argv, "/data/input", "/data/answer", "/feedback/", ...(test.validatorArgs ?? args)],
        mounts: [
          ...base.mounts,
          { host: input, inside: "/data/input" },
          { host: answer, inside: "/data/answer" },
        ],
        scratch: { host: feedback, inside: "/feedback" },
        slot,
        stdin: output,
        stdout: null,
        stderr,
        limits,
      },
      signal,
    );
    const judgeMessage = readWords(join(feedback, "judgemessage.txt"), characters);
    const verdict = verdictOf(run);
    if (verdict === undefined) {
      throw new JudgeFault({
        code: "VALIDATOR_FAILED",
        message: `the output validator of ${manifest.problem} ${howItEnded(run)} on test ${test.name}`,
        log: [judgeMessage, readWords(stderr, 4_000)].filter((text) => text !== "").join("\n"),
        retry: false,
      });
    }
    const teamMessage = readWords(join(feedback, "teammessage.txt"), characters);
    await deps.sandbox.remove(feedback);
    return {
      verdict,
      ...(judgeMessage === "" ? {} : { judgeMessage }),
      ...(teamMessage === "" ? {} : { teamMessage }),
    };
  };
}

function verdictOf({ status }: FinishedRun): "AC" | "WA" | undefined {
  if (status.type !== "exited") return undefined;
  if (status.code === ACCEPTED) return "AC";
  return status.code === REJECTED ? "WA" : undefined;
}

function howItEnded({ status }: FinishedRun): string {
  if (status.type === "limit") return `went over its ${status.limit} limit`;
  if (status.type === "signalled") return `crashed (${status.signal})`;
  return `exited with ${status.code} (not ${ACCEPTED} or ${REJECTED})`;
}
