import { existsSync, readFileSync } from "node:fs";
import { type RunLimits, type RunResult, type Sandbox, SandboxFault } from "../sandbox/sandbox.ts";
import { emptyFeedback, type Feedback } from "./feedback.ts";
import { openPair, type Pair } from "./pair.ts";
import { runLimits, testRequest } from "./program.ts";
import { readTranscript, relayCommand, RELAY_PROCESSES } from "./relay.ts";
import type { FinishedRun } from "./run.ts";
import type { Pass, PassInput, TestDeps } from "./runtest.ts";
import { testlibGoesOn } from "./testlib.ts";
import { type CustomValidator, readValidation, validatorRequest } from "./validator.ts";
import { runVerdict } from "./verdicts.ts";

/** Once the program has been stopped, the validator has so long to come to its end, milliseconds. */
const GRACE_MS = 2_000;

type Interaction = PassInput & { readonly validator: CustomValidator; readonly feedback: Feedback };

/**
 * One interactive pass. A TLE that may not be believed is run again alone, with both programs, as others are; not in a
 * multi-pass problem, where what the validator keeps from one pass to the next is changed by each.
 */
export async function interact(deps: TestDeps, given: Interaction): Promise<Pass> {
  const { program, manifest, feedback } = given;
  const { timeFactor } = program.definition;
  const limits = runLimits(program, manifest.limits, { timeFactor, pressure: deps.cpuPressure() });
  if (manifest.passes !== undefined) return await converse(deps, given, { limits, stopAt: limits });
  let attempts = 0;
  return await deps.reruns.believe(
    limits,
    async (sandbox, stopAt) => {
      attempts += 1;
      if (attempts > 1) await emptyFeedback(deps.sandbox, feedback);
      return await converse({ ...deps, sandbox }, given, { limits, stopAt });
    },
    ({ run, judged }) => (judged.verdict === "TLE" ? run : undefined),
  );
}

type ConverseDeps = Omit<TestDeps, "sandbox"> & { readonly sandbox: Pick<Sandbox, "run"> };

/** `limits` are the program's own, by which its time is judged; it is stopped at those of `stopAt`. */
interface Bounds {
  readonly limits: RunLimits;
  readonly stopAt: RunLimits;
}

/**
 * Program and validator run in sandboxes of their own, pinned to one core (two that wait for each
 * other are several times slower on two), and talk through named pipes. This process holds both pipes open, so that an
 * end is seen by the other side only after we know of it:
 *
 * - the program's end becomes the validator's end of input once we have looked whether the validator had ended before;
 * - neither is killed for writing to the other, which has ended: what they still say is thrown away.
 *
 * The validator decides when it rejects first; else the program's own end, if it is a bad one; else the validator. So
 * has problemtools it. Both waiting for each other ends at the program's wall limit.
 */
async function converse(deps: ConverseDeps, given: Interaction, bounds: Bounds): Promise<Pass> {
  const pair = await openPair(given.feedback, deps.workspace);
  const program = new AbortController();
  const validator = new AbortController();
  const stopBoth = (): void => {
    program.abort();
    validator.abort();
  };
  deps.signal.addEventListener("abort", stopBoth, { once: true });
  try {
    deps.signal.throwIfAborted();
    const request = await testRequest(deps, given.program, given.manifest, given.data.test);
    const runs = startRuns(
      deps,
      given,
      { pair, request, stopAt: bounds.stopAt },
      { program: program.signal, validator: validator.signal },
    );
    let validatorFirst: boolean | undefined;
    const programEnded = runs.program.then((result) => {
      validatorFirst ??= existsSync(pair.ended);
      pair.programGone();
      if (result.status.type === "limit") setTimeout(() => validator.abort(), GRACE_MS).unref();
      return result;
    });
    const validatorEnded = runs.validator.then((result) => {
      validatorFirst ??= true;
      pair.validatorGone();
      // It accepts: then the program has still to come to a good end. Anything else is decided.
      if (!accepts(given, result)) program.abort();
      return result;
    });
    const results = await Promise.allSettled([programEnded, validatorEnded].map(stopsBothOnFault(stopBoth)));
    deps.signal.throwIfAborted();
    for (const result of results) if (result.status === "rejected") throw result.reason;
    const ended = { program: await programEnded, validator: await validatorEnded };
    const { stderr } = runs;
    return passOf(deps, given, {
      ...ended,
      ...bounds,
      stderr,
      validatorFirst: validatorFirst === true,
      pair,
    });
  } finally {
    deps.signal.removeEventListener("abort", stopBoth);
    pair.close();
  }
}

const stopsBothOnFault =
  (stopBoth: () => void) =>
  (ended: Promise<RunResult>): Promise<RunResult> => {
    ended.catch(stopBoth);
    return ended;
  };

/** An end that is accepting by its exit code alone. */
const accepts = (
  { validator, manifest }: { readonly validator: CustomValidator } & Pick<PassInput, "manifest">,
  { status }: RunResult,
): boolean => {
  if (status.type !== "exited") return false;
  return validator.protocol === "testlib"
    ? testlibGoesOn(status.code, manifest.scoring === true)
    : status.code === 42;
};

function startRuns(
  { sandbox, slot, limits: bounds, workspace, cpuPressure }: ConverseDeps,
  { manifest, validator, data, input, feedback }: Interaction,
  {
    pair,
    request,
    stopAt,
  }: {
    readonly pair: Pair;
    readonly request: Awaited<ReturnType<typeof testRequest>>;
    readonly stopAt: RunLimits;
  },
  signals: { readonly program: AbortSignal; readonly validator: AbortSignal },
) {
  const pressure = cpuPressure();
  const { isolate: _, ...base } = request;
  const { test, answer } = data;
  const about = { manifest, test, input, answer, feedback, pressure, output: pair.inside.tout };
  const judge = validatorRequest(validator, about);
  const stderr = workspace.file("validator-stderr");
  const core = ["/usr/bin/taskset", "-c", String(coreOf(slot))] as const;
  return {
    stderr,
    program: sandbox.run(
      {
        ...base,
        argv: [...core, ...base.argv],
        slot,
        stdin: pair.toProgram,
        stdout: pair.fromProgram,
        stderr: null,
        limits: stopAt,
      },
      signals.program,
    ),
    validator: sandbox.run(
      {
        ...judge,
        argv: [...core, ...relayCommand(pair.inside, bounds.transcriptCharacters, judge.argv)],
        slot,
        stdin: pair.fromProgram,
        stdout: null,
        stderr,
        limits: {
          ...judge.limits,
          // It may have to wait for the program as long as that may take.
          wallMs: judge.limits.wallMs + stopAt.wallMs + GRACE_MS,
          processes: judge.limits.processes + RELAY_PROCESSES,
        },
      },
      signals.validator,
    ),
  };
}

interface Ended {
  readonly program: RunResult;
  readonly validator: RunResult;
  readonly validatorFirst: boolean;
  readonly limits: { readonly cpuMs: number };
  readonly stderr: string;
  readonly pair: Pair;
}

function passOf(
  deps: ConverseDeps,
  { manifest, validator, data, feedback }: Interaction,
  ended: Ended,
): Pass {
  const { limits, stderr, validatorFirst, pair } = ended;
  const text = readTranscript(pair.transcript, deps.limits.transcriptCharacters);
  const transcript = text === "" ? {} : { transcript: text };
  const { test } = data;
  const run = finished(ended.program);
  const verdict = run && runVerdict(run, limits);
  const decided = validatorFirst && !accepts({ validator, manifest }, ended.validator);
  if (run !== undefined && verdict !== undefined && !decided)
    return { run, judged: { verdict }, ...transcript };
  const judge = finished(ended.validator);
  if (judge === undefined) throw new SandboxFault("the validator was stopped, and nobody stopped it");
  const judged = readValidation(validator, { manifest, test, feedback }, { run: judge, stderr }, deps.limits);
  return { run, judged, ...transcript, tout: pair.tout };
}

/** Undefined for a run that we stopped: its end says nothing. */
function finished(result: RunResult): FinishedRun | undefined {
  const { status } = result;
  return status.type === "cancelled" ? undefined : { ...result, status };
}

let allowedCores: readonly number[] | undefined;

/** Slots lie on different cores as far as there are enough. */
function coreOf(slot: number): number {
  allowedCores ??= readAllowedCores();
  return allowedCores[slot % allowedCores.length] ?? 0;
}

function readAllowedCores(): readonly number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}
