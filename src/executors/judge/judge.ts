import {
  JUDGE_KIND,
  JudgePayload,
  type JudgeProgress,
  type JudgeResult,
  type ManifestProgram,
  type ProblemManifest,
  type SourceFile,
  type TestReport,
} from "../../shared/judging.ts";
import { familyOf, type LanguageId } from "../../shared/language.ts";
import type { Limits } from "../../shared/limits.ts";
import type { Fault, Job } from "../../shared/protocol.ts";
import type { LentSlot, WorkContext, WorkKind } from "../work.ts";
import { build, type BuildDeps } from "./build.ts";
import { faultOf, JudgeFault } from "./faults.ts";
import { createGrader } from "./grade.ts";
import { type InOrderDeps, runInOrder } from "./inorder.ts";
import { createManifestReader } from "./manifests.ts";
import type { Reruns } from "./rerun.ts";
import { runTest, type TestInput } from "./runtest.ts";
import { scripted } from "./scripted.ts";
import { canRunBeside, lendRoom, type Room } from "./rooms.ts";
import { openTestFiles, stoppable } from "./testdata.ts";
import type { CustomValidator } from "./validator.ts";
import { peaks } from "./verdicts.ts";
import { openWorkspace, type Workspace } from "./workspace.ts";

export interface JudgeDeps extends BuildDeps {
  readonly workDir: string;
  readonly reruns: Reruns;
  /** Bytes free where programs write. */
  readonly freeDiskBytes: () => Promise<number>;
  /** CPUs that programs may use. */
  readonly cores: number;
  readonly onBeside: NonNullable<InOrderDeps<unknown, unknown>["onBeside"]>;
  readonly limits: Pick<
    Limits,
    | "compileMessageCharacters"
    | "errorOutputCharacters"
    | "judgeMessageCharacters"
    | "parallelTests"
    | "reportCharacters"
    | "transcriptCharacters"
  >;
  /** Told of each text that a limit leaves out, as far as the result does not show it. */
  readonly onCut: (limit: keyof JudgeDeps["limits"]) => void;
  /** Told of each judging that came to a verdict. */
  readonly onJudged: (language: LanguageId, result: JudgeResult) => void;
}

/** The kind of work "judge": compile a program, run it on a problem's tests in order, judge each output. */
export function createJudge(deps: JudgeDeps): WorkKind {
  const readManifest = createManifestReader();
  return {
    kind: JUDGE_KIND,
    async run(job, context) {
      try {
        const payload = readPayload(job);
        const manifest = await readManifest(payload.manifest, context.blobs);
        const workspace = await openWorkspace(deps, context.slot);
        try {
          const result = await judge(deps, { payload, manifest, workspace, context });
          const full = result.verdict === "AC" ? undefined : await fullDisk(deps);
          if (full !== undefined) return { type: "fault", fault: full };
          deps.onJudged(payload.language, result);
          return { type: "finished", result };
        } finally {
          // What cannot be removed now is removed at the next start; how the judging ended stands.
          await workspace
            .close()
            .catch((error: unknown) => context.log.error({ err: error }, "job folder stays"));
        }
      } catch (error) {
        if (context.signal.aborted) return { type: "stopped" };
        const fault = faultOf(error);
        return { type: "fault", fault: fault.shared ? fault : ((await fullDisk(deps)) ?? fault) };
      }
    },
  };
}

interface Judging {
  readonly payload: JudgePayload;
  readonly manifest: ProblemManifest;
  readonly workspace: Workspace;
  readonly context: WorkContext;
}

async function judge(deps: JudgeDeps, judging: Judging): Promise<JudgeResult> {
  const { payload, manifest, workspace, context } = judging;
  const { blobs, slot, signal } = context;
  const testsTotal = manifest.tests.length;
  if (manifest.submitAnswer === true) return await judgeTests(deps, judging, payload.files, { testsTotal });

  const files = withIncluded(payload, manifest);
  const built = await build(deps, {
    ...payload,
    files,
    limits: manifest.limits,
    workspace,
    blobs,
    slot,
    signal,
  });
  const compiled = { compile: built.report, testsTotal };
  context.report("compiled", { ...compiled, tests: [] } satisfies JudgeProgress);
  if (built.type === "refused") return { ...compiled, tests: [], verdict: "CE", cpuMs: 0, memoryKiB: 0 };
  try {
    return await judgeTests(deps, judging, built.program, compiled);
  } finally {
    built.program.artefact.release();
  }
}

/** The package's files for the language take the place of submitted ones of the same name. */
function withIncluded({ language, files }: JudgePayload, { include = {} }: ProblemManifest): SourceFile[] {
  const family = familyOf(language);
  const added = ["default", family, ...(family === language ? [] : [language])].flatMap(
    (name) => include[name] ?? [],
  );
  return [...new Map([...files, ...added].map((file) => [file.name, file])).values()];
}

async function judgeTests(
  deps: JudgeDeps,
  judging: Judging,
  program: TestInput["program"],
  compiled: Omit<JudgeProgress, "tests">,
): Promise<JudgeResult> {
  const { payload, manifest, workspace, context } = judging;
  const { blobs } = context;
  const testsTotal = manifest.tests.length;
  const runsAll = payload.allTests === true && manifest.scoring !== true;
  const { validator, checker, release } = await openValidators(deps, judging);
  const files = openTestFiles(blobs, manifest.tests);
  try {
    const reruns = deps.reruns.forJob();
    const grader = createGrader(manifest);
    const reports = new Map<number, TestReport>();
    const lendSlot = (): LentSlot | undefined => context.lendSlot();
    await runInOrder<Room, TestReport>({
      count: testsTotal,
      isSkipped: (place) => !runsAll && grader.isSkipped(place, reports),
      async run(place, { room, signal: stopped, turn }) {
        const about = { turn, signal: stopped };
        const testDeps = {
          ...deps,
          ...room,
          signal: stopped,
          blobs: stoppable(blobs, stopped),
          reruns: reruns.forTest(about),
        };
        const data = await files.open(place, stopped);
        try {
          const given = { manifest, program, validator, checker, data };
          return await unlessDiskFull(deps, () => runTest(testDeps, given), stopped);
        } finally {
          data.release();
        }
      },
      take(place, report) {
        reports.set(place, withinWords(deps, report, [...reports.values()]));
        context.report("progress", { ...compiled, tests: [...reports.values()] } satisfies JudgeProgress);
      },
      own: { slot: context.slot, workspace },
      async another(state) {
        if (!canRunBeside(manifest)) return undefined;
        const wallMs = [...reports.values()].map((report) => report.wallMs);
        return await lendRoom({ ...deps, lendSlot }, { ...state, wallMs });
      },
      onBeside: deps.onBeside,
      signal: context.signal,
    });
    const tests = [...reports.values()];
    return { ...compiled, tests, ...grader.grade(reports), ...peaks(tests) };
  } finally {
    files.close();
    release();
  }
}

/**
 * A test that ended badly on a full disk did so for want of room: asked while its outputs are still there, since a lent
 * room takes them along when it is given back. Counts, as any end of a test, only when the test does.
 */
async function unlessDiskFull(
  deps: Pick<JudgeDeps, "freeDiskBytes">,
  run: () => Promise<TestReport>,
  signal: AbortSignal,
): Promise<TestReport> {
  let report: TestReport | undefined;
  let thrown: unknown;
  try {
    report = await run();
  } catch (error) {
    thrown = error;
  }
  const suspect = report?.verdict !== "AC" && !signal.aborted;
  if (suspect && (await fullDisk(deps)) !== undefined)
    throw Object.assign(new Error("a test ended badly on it", { cause: thrown }), { code: "ENOSPC" });
  if (report === undefined) throw thrown;
  return report;
}

const wordsOf = ({ judgeMessage, teamMessage, errorOutput, transcript }: TestReport): number =>
  [judgeMessage, teamMessage, errorOutput, transcript].reduce((sum, text) => sum + (text?.length ?? 0), 0);

/** The first tests that have something to say use up what all of them together may: a result must fit a message. */
function withinWords(deps: JudgeDeps, report: TestReport, before: readonly TestReport[]): TestReport {
  const used = before.reduce((sum, one) => sum + wordsOf(one), 0);
  if (used + wordsOf(report) <= deps.limits.reportCharacters) return report;
  deps.onCut("reportCharacters");
  const { judgeMessage: _, teamMessage: __, errorOutput: ___, transcript: ____, ...rest } = report;
  return rest;
}

/** The package's own programs; no validator where the default one judges. */
async function openValidators(
  deps: JudgeDeps,
  judging: Judging,
): Promise<Pick<TestInput, "validator" | "checker"> & { readonly release: () => void }> {
  const { validator, checker, interactive } = judging.manifest;
  const role = interactive === true ? "interactor" : "checker";
  const first =
    validator.type === "default"
      ? undefined
      : await openValidator(deps, judging, validator, validator.testlib === true ? role : "output validator");
  try {
    const second = checker && (await openValidator(deps, judging, checker, "checker"));
    return {
      validator: first,
      checker: second,
      release: () => [first, second].forEach((one) => one?.program.artefact.release()),
    };
  } catch (error) {
    first?.program.artefact.release();
    throw error;
  }
}

async function openValidator(
  deps: JudgeDeps,
  { manifest, workspace, context }: Judging,
  { language, files, entryPoint, args, testlib, script }: ManifestProgram,
  role: CustomValidator["role"],
): Promise<CustomValidator> {
  const { blobs, slot, signal } = context;
  const { limits } = manifest;
  const built = await build(script === true ? scripted(deps) : deps, {
    language,
    files,
    entryPoint,
    limits,
    workspace,
    blobs,
    slot,
    signal,
  });
  if (built.type === "built") {
    return { program: built.program, args, role, protocol: testlib === true ? "testlib" : "format" };
  }
  throw new JudgeFault({
    code: "VALIDATOR_FAILED",
    message: `the ${role} of ${manifest.problem} does not compile`,
    log: built.report.message,
    retry: false,
  });
}

/** With less free than this, writes of programs and compilers may have failed. */
const FULL_DISK_BYTES = 4 * 1024 * 1024;

/** A program whose output does not fit on our disk looks wrong, a validator without room for its words broken. */
export async function fullDisk(deps: Pick<JudgeDeps, "freeDiskBytes">): Promise<Fault | undefined> {
  if ((await deps.freeDiskBytes()) >= FULL_DISK_BYTES) return undefined;
  return { code: "DISK_FULL", message: "the executor's disk is full", retry: true, shared: true };
}

function readPayload(job: Job): JudgePayload {
  const payload = JudgePayload.safeParse(job.payload);
  if (payload.success) return payload.data;
  throw new JudgeFault({ code: "JOB_MALFORMED", message: payload.error.message, retry: false });
}
