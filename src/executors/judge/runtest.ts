import type { ProblemManifest, RerunAlone, SourceFile, TestReport } from "../../shared/judging.ts";
import type { Limits } from "../../shared/limits.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { BlobSource } from "../work.ts";
import { answerTo } from "./answers.ts";
import type { Program } from "./build.ts";
import { JudgeFault } from "./faults.ts";
import { copyOut, type Feedback, hasNextPass, openFeedback, takeNextPass } from "./feedback.ts";
import { testScore } from "./grade.ts";
import { interact } from "./interactive.ts";
import { runLimits, testRequest } from "./program.ts";
import type { TestReruns } from "./rerun.ts";
import { type FinishedRun, readBothEnds, runToEnd } from "./run.ts";
import type { TestData } from "./testdata.ts";
import {
  type CustomValidator,
  readValidation,
  validateByDefault,
  type Validation,
  validatorRequest,
} from "./validator.ts";
import { exitOf, runVerdict, type RunVerdict } from "./verdicts.ts";
import type { Workspace } from "./workspace.ts";

export interface TestDeps {
  readonly sandbox: Sandbox;
  readonly limits: Pick<Limits, "errorOutputCharacters" | "judgeMessageCharacters" | "transcriptCharacters">;
  readonly cpuPressure: () => number;
  readonly reruns: TestReruns;
  readonly workspace: Workspace;
  readonly blobs: BlobSource;
  readonly slot: number;
  readonly signal: AbortSignal;
}

export interface TestInput {
  readonly manifest: ProblemManifest;
  /** What runs, or the answers that were handed in instead. */
  readonly program: Program | readonly SourceFile[];
  /** Undefined: the format's default one. */
  readonly validator: CustomValidator | undefined;
  /** Judges what the validator of an interactive problem, testlib's interactor, wrote. */
  readonly checker?: CustomValidator | undefined;
  readonly data: TestData;
}

/** One run of the program and what came of it. */
export interface Pass {
  /** Of the program; undefined where none was run. */
  readonly run: FinishedRun | undefined;
  readonly judged: Validation | { readonly verdict: RunVerdict };
  /** What program and validator said to each other, for the jury. */
  readonly transcript?: string;
  /** Host path of what testlib's interactor wrote for the checker. */
  readonly tout?: string;
  /** What the program wrote to its error output, for the jury. */
  readonly errorOutput?: string;
  /** That this pass was run twice. */
  readonly rerunAlone?: RerunAlone;
}

/** What one pass is run with. */
export interface PassInput extends TestInput {
  readonly program: Program;
  /** Host path of the input of this pass. */
  readonly input: string;
  /** Of the test, over all its passes; undefined with the default validator. */
  readonly feedback: Feedback | undefined;
}

/** Runs one test: one pass, or as many as the validator of a multi-pass problem asks for. */
export async function runTest(deps: TestDeps, given: TestInput): Promise<TestReport> {
  const { manifest, data, validator } = given;
  const feedback = validator === undefined ? undefined : await openFeedback(deps.workspace);
  const passes = manifest.passes ?? 1;
  let report: TestReport | undefined;
  let { input } = data;
  for (let pass = 1; pass <= passes; pass++) {
    const { program } = given;
    const ended =
      "artefact" in program
        ? await runPass(deps, { ...given, program, input, feedback })
        : await judgeAnswer(deps, { ...given, input, feedback }, program);
    const { judged } = ended;
    report = withPass(report, data, ended);
    const again = manifest.passes !== undefined && feedback !== undefined && hasNextPass(feedback);
    if (!again) {
      if (feedback !== undefined) await deps.sandbox.remove(feedback.host);
      const score = testScore(
        manifest,
        data.test,
        judged.verdict,
        "score" in judged ? judged.score : undefined,
      );
      return { ...report, ...(score === undefined ? {} : { score }) };
    }
    if (judged.verdict !== "AC") {
      // A program that failed by itself left the file of the pass before, if any: that one was taken.
      throw passFault(given, "asks for another pass although it rejected the output");
    }
    input = deps.workspace.file(`pass-${pass % 2}`);
    if (!(await takeNextPass(feedback, input, manifest.limits.validationOutputMiB * 1024 * 1024))) {
      throw passFault(given, "left a nextpass.in that is no file or too large");
    }
  }
  throw passFault(given, `asks for more than ${passes} passes`);
}

const passFault = ({ manifest, data, validator }: TestInput, what: string): JudgeFault =>
  new JudgeFault({
    code: "VALIDATOR_FAILED",
    message: `the ${validator?.role ?? "output validator"} of ${manifest.problem} ${what} on test ${data.test.name}`,
    retry: false,
  });

/** The test's report with one more pass: the limits hold for each alone, so the largest figures are told. */
function withPass(
  before: TestReport | undefined,
  { test }: TestData,
  { run, judged, transcript, errorOutput = "", rerunAlone = before?.rerunAlone }: Pass,
): TestReport {
  const exit = run && exitOf(run);
  const { score: _, ...validation } = "score" in judged ? judged : { ...judged, score: undefined };
  return {
    name: test.name,
    cpuMs: Math.max(before?.cpuMs ?? 0, run?.cpuMs ?? 0),
    wallMs: Math.max(before?.wallMs ?? 0, run?.wallMs ?? 0),
    memoryKiB: Math.max(before?.memoryKiB ?? 0, run?.memoryKiB ?? 0),
    ...(exit === undefined ? {} : { exit }),
    ...(rerunAlone === undefined ? {} : { rerunAlone }),
    ...validation,
    ...(errorOutput === "" || judged.verdict === "AC" ? {} : { errorOutput }),
    ...(transcript === undefined || judged.verdict === "AC" ? {} : { transcript }),
  };
}

async function runPass(deps: TestDeps, given: PassInput): Promise<Pass> {
  const { manifest, program, validator, data, input, feedback } = given;
  if (manifest.interactive === true) {
    if (validator === undefined || feedback === undefined) {
      throw passFault(given, "is missing, but the problem is interactive,");
    }
    return await checkLeft(deps, given, await interact(deps, { ...given, validator, feedback }));
  }
  const { slot, workspace } = deps;
  const output = workspace.file("output");
  const stderr = workspace.file("stderr");
  const pressure = deps.cpuPressure();
  const { timeFactor } = program.definition;
  const limits = runLimits(program, manifest.limits, { timeFactor, pressure });
  const request = await testRequest(deps, program, manifest, data.test);
  const { run, ...rerun } = await deps.reruns.run({
    ...request,
    slot,
    stdin: input,
    stdout: output,
    stderr,
    limits,
  });
  const errorOutput = readBothEnds(stderr, deps.limits.errorOutputCharacters);
  const verdict = runVerdict(run, limits, { language: program.definition.id, errorOutput });
  const judged = verdict === undefined ? await validate(deps, given, output) : { verdict };
  return { run, judged, errorOutput, ...rerun };
}

/** What testlib's interactor wrote goes to the checker as the output, if it accepted and gave no points. */
async function checkLeft(deps: TestDeps, given: PassInput, pass: Pass): Promise<Pass> {
  const { checker, manifest } = given;
  const { judged, tout } = pass;
  if (checker === undefined || tout === undefined) return pass;
  if (judged.verdict !== "AC" || judged.score !== undefined) return pass;
  const output = deps.workspace.file("tout");
  if (!copyOut(tout, output, manifest.limits.validationOutputMiB * 1024 * 1024)) {
    throw passFault(given, "left an output for the checker that is no file or too large");
  }
  const checked = await validate(deps, { ...given, validator: checker }, output);
  const words = [judged.judgeMessage, checked.judgeMessage].filter((text) => text !== undefined).join("");
  return {
    ...pass,
    judged: {
      ...checked,
      ...(words === "" ? {} : { judgeMessage: words.slice(0, deps.limits.judgeMessageCharacters) }),
    },
  };
}

/** A problem of type submit-answer: what was handed in for the test is its output. */
async function judgeAnswer(
  deps: TestDeps,
  given: Omit<PassInput, "program">,
  files: readonly SourceFile[],
): Promise<Pass> {
  const { manifest, data } = given;
  const file = answerTo(data.test, files, manifest.tests.length);
  if (file === undefined) {
    const teamMessage = `No answer was handed in for ${data.test.name}.`;
    return { run: undefined, judged: { verdict: "WA", teamMessage } };
  }
  const blob = await deps.blobs.open(file.sha256);
  try {
    return { run: undefined, judged: await validate(deps, given, blob.path) };
  } finally {
    blob.release();
  }
}

async function validate(
  deps: TestDeps,
  given: Omit<PassInput, "program">,
  output: string,
): Promise<Validation> {
  const { manifest, validator, data, input, feedback } = given;
  const { test, answer } = data;
  if (validator === undefined || feedback === undefined) {
    const args = manifest.validator.args;
    return await validateByDefault(args, { test, input, answer, output }, deps.limits);
  }
  const stderr = deps.workspace.file("validator-stderr");
  const about = { manifest, test, input, answer, feedback, pressure: deps.cpuPressure() };
  const run = await runToEnd(
    deps.sandbox,
    { ...validatorRequest(validator, about), slot: deps.slot, stdin: output, stdout: null, stderr },
    deps.signal,
  );
  return readValidation(validator, about, { run, stderr }, deps.limits);
}
