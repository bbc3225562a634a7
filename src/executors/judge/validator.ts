import type { ProblemManifest } from "../../shared/judging.ts";
import type { Limits } from "../../shared/limits.ts";
import { parseValidatorFlags } from "../../shared/validatorflags.ts";
import { compareOutput } from "../checker/compare.ts";
import type { RunRequest } from "../sandbox/sandbox.ts";
import type { Program } from "./build.ts";
import { JudgeFault } from "./faults.ts";
import { type Feedback, FEEDBACK_INSIDE, readScore } from "./feedback.ts";
import type { GivenScore } from "./grade.ts";
import { programRequest, runLimits } from "./program.ts";
import { type FinishedRun, readWords } from "./run.ts";
import type { TestData } from "./testdata.ts";
import { readTestlibEnd, whyNoTestlibVerdict } from "./testlib.ts";

/** What an output is judged by: the test and the host path of what the program wrote. */
interface Exhibit extends Pick<TestData, "test" | "answer"> {
  /** Of this pass. */
  readonly input: string;
  readonly output: string;
}

export interface Validation {
  readonly verdict: "AC" | "WA";
  readonly judgeMessage?: string;
  readonly teamMessage?: string;
  /** Of a scoring problem, when accepted. */
  readonly score?: GivenScore;
}

/** Throws JudgeFault VALIDATOR_FAILED when the flags are none. */
export async function validateByDefault(
  args: readonly string[],
  { test, output, answer }: Exhibit,
  limits: Pick<Limits, "judgeMessageCharacters">,
): Promise<Validation> {
  const parsed = parseValidatorFlags(test.validatorArgs ?? args);
  if (!parsed.ok) throw new JudgeFault({ code: "VALIDATOR_FAILED", message: parsed.message, retry: false });
  const { accepted, message } = await compareOutput(parsed.flags, { output, answer });
  if (accepted) return { verdict: "AC" };
  return { verdict: "WA", judgeMessage: message.slice(0, limits.judgeMessageCharacters) };
}

/** The package's own program. */
export interface CustomValidator {
  readonly program: Program;
  /** Exit codes and order of arguments: the format's, or those of Codeforces' testlib. */
  readonly protocol: "format" | "testlib";
  /** What it is called when it fails. */
  readonly role: "output validator" | "checker" | "interactor";
  /** Of tests that have none of their own. */
  readonly args: readonly string[];
}

/** Of a test in question. */
interface ValidatorInput extends Pick<Exhibit, "test" | "answer" | "input"> {
  readonly manifest: ProblemManifest;
  readonly feedback: Feedback;
  readonly pressure: number;
  /** What testlib's programs are given as the output: of an interactor a path that it writes to, else standard input. */
  readonly output?: string;
}

/** What runs the validator in the sandbox, but for its standard streams and slot. */
export function validatorRequest(
  { program, args, protocol }: CustomValidator,
  { manifest, test, input, answer, feedback, pressure, output = "/dev/stdin" }: ValidatorInput,
): Pick<RunRequest, "argv" | "env" | "box" | "boxWritable" | "mounts" | "scratch" | "limits"> {
  const { validationTimeMs, validationMemoryMiB, validationOutputMiB } = manifest.limits;
  const plain = { timeMs: validationTimeMs, memoryMiB: validationMemoryMiB, outputMiB: validationOutputMiB };
  // Its isolate may see nothing of the feedback folder: it is run as any other program.
  const { isolate: _, ...base } = programRequest(program, validationMemoryMiB);
  const files =
    protocol === "testlib"
      ? ["/data/input", output, "/data/answer"]
      : ["/data/input", "/data/answer", feedback.inside];
  return {
    ...base,
    argv: [...base.argv, ...files, ...(test.validatorArgs ?? args)],
    mounts: [
      ...base.mounts,
      { host: input, inside: "/data/input" },
      { host: answer, inside: "/data/answer" },
    ],
    scratch: { host: feedback.host, inside: FEEDBACK_INSIDE },
    limits: runLimits(program, plain, { timeFactor: 1, pressure }),
  };
}

/**
 * What a validator's end means: 42 accepts, 43 rejects; everything else is a fault of the problem. Source: problem
 * package format, "Output Validators". `stderr` is the host path of its error output.
 */
export function readValidation(
  validator: Pick<CustomValidator, "protocol" | "role">,
  { manifest, test, feedback }: Pick<ValidatorInput, "manifest" | "test" | "feedback">,
  ended: { readonly run: FinishedRun; readonly stderr: string },
  limits: Pick<Limits, "judgeMessageCharacters">,
): Validation {
  const { run, stderr } = ended;
  const characters = limits.judgeMessageCharacters;
  const words = readWords(feedback.file("judgemessage.txt"), characters);
  const spoken = validator.protocol === "testlib" ? readWords(stderr, characters) : "";
  const judgeMessage = words === "" ? spoken : words;
  const fail = (what: string): JudgeFault =>
    new JudgeFault({
      code: "VALIDATOR_FAILED",
      message: `the ${validator.role} of ${manifest.problem} ${what} on test ${test.name}`,
      log: [words, readWords(stderr, 4_000)].filter((text) => text !== "").join("\n"),
      retry: false,
    });
  const verdict =
    validator.protocol === "testlib" ? testlibVerdict(manifest, run, spoken) : formatVerdict(run);
  if (verdict === undefined) throw fail(howItEnded(validator.protocol, run));
  const score = scoreOf(verdict.points, readScore(feedback, manifest.validatorScores === true));
  if (score.type === "wrong") throw fail(score.what);
  if (score.type === "given" && verdict.type === "WA" && manifest.scoring === true) {
    throw fail("gave a score although it rejected the output");
  }
  const teamMessage = readWords(feedback.file("teammessage.txt"), characters);
  return {
    verdict: verdict.type,
    ...(judgeMessage === "" ? {} : { judgeMessage }),
    ...(teamMessage === "" ? {} : { teamMessage }),
    ...(score.type === "given" ? { score: score.score } : {}),
  };
}

const scoreOf = (points: number | undefined, written: ReturnType<typeof readScore>): typeof written =>
  points === undefined ? written : { type: "given", score: { type: "score", value: points } };

interface ValidatorVerdict {
  readonly type: "AC" | "WA";
  readonly points?: number;
}

const ACCEPTED = 42;
const REJECTED = 43;

function formatVerdict({ status }: FinishedRun): ValidatorVerdict | undefined {
  if (status.type !== "exited") return undefined;
  if (status.code === ACCEPTED) return { type: "AC" };
  return status.code === REJECTED ? { type: "WA" } : undefined;
}

/** Points are worth something only where there are scores: elsewhere part of a solution is none, as on Codeforces. */
function testlibVerdict(
  { scoring = false }: ProblemManifest,
  { status }: FinishedRun,
  words: string,
): ValidatorVerdict | undefined {
  const end = readTestlibEnd(status, words);
  if (end?.points === undefined) return end && { type: end.type === "OK" ? "AC" : "WA" };
  return scoring && end.points > 0 ? { type: "AC", points: end.points } : { type: "WA" };
}

function howItEnded(protocol: CustomValidator["protocol"], { status }: FinishedRun): string {
  if (status.type === "limit") return `went over its ${status.limit} limit`;
  if (status.type === "signalled") return `crashed (${status.signal})`;
  if (protocol === "testlib") return whyNoTestlibVerdict(status.code);
  return `exited with ${status.code} (not ${ACCEPTED} or ${REJECTED})`;
}
