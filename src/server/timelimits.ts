import type { Clock } from "../shared/clock.ts";
import { JudgeResult, ProblemManifest } from "../shared/judging.ts";
import type { Service } from "../shared/lifecycle.ts";
import type { Log } from "../shared/log.ts";
import { decodeJson } from "../shared/nats.ts";
import { repeat } from "../shared/repeat.ts";
import type { SubmitInput, SubmitOutcome } from "./intake/outcome.ts";
import { FALLBACK_MS, inferredLimitMs } from "./problems/timing.ts";
import type { BlobStore } from "./store/blobs.ts";
import { isFinal, type ProblemDocument } from "./store/documents.ts";
import type { Problems } from "./store/problems.ts";

interface TimeLimitDeps {
  readonly store: {
    readonly blobs: Pick<BlobStore, "read" | "put" | "keep">;
    readonly problems: Pick<Problems, "timed" | "setTimeLimit">;
  };
  readonly submit: (input: SubmitInput) => Promise<SubmitOutcome>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Whose submissions those are that measure; nobody can have a key of this name by accident. */
const TIMING_OWNER = "docket:timing";
const INTERVAL_MS = 1_000;

const Measured = JudgeResult.pick({ verdict: true, cpuMs: true });
type Timing = NonNullable<ProblemDocument["timing"]>;

/** CPU time of one accepted submission; "waiting" for its verdict; undefined when it tells nothing. */
async function measure(
  deps: TimeLimitDeps,
  problem: ProblemDocument,
  program: Timing["programs"][number],
): Promise<number | "waiting" | undefined> {
  const files = await Promise.all(
    program.files.map(async ({ name, sha256 }) => ({ name, content: await deps.store.blobs.read(sha256) })),
  );
  const outcome = await deps.submit({
    owner: TIMING_OWNER,
    role: "jury",
    problem: problem._id,
    language: program.language,
    lane: "rejudge",
    // The same each time we look: the first call hands it in, those after it tell how far it is, on any server.
    idempotencyKey: `${problem.manifest}:${program.path}`.slice(0, 128),
    files: files.map(({ name, content }) => ({ name, content: content ?? new Uint8Array() })),
  });
  if (outcome.type === "refused") return outcome.retryAfterMs === undefined ? undefined : "waiting";
  const { judgement } = outcome.snapshot;
  if (!isFinal(judgement.state)) return "waiting";
  const result = Measured.safeParse(judgement.result);
  return result.success && result.data.verdict === "AC" ? result.data.cpuMs : undefined;
}

/**
 * Gives a problem the time limit that its accepted submissions ask for, once all of them are judged. Every step can be
 * repeated by any server: submissions go by their key, the new version by a guarded write.
 */
async function infer(deps: TimeLimitDeps, problem: ProblemDocument, timing: Timing): Promise<void> {
  const needed = await Promise.all(timing.programs.map((program) => measure(deps, problem, program)));
  if (needed.includes("waiting")) return;
  const times = needed.filter((one) => typeof one === "number");
  const slowestMs = Math.max(...times);
  const timeMs = times.length > 0 ? inferredLimitMs(slowestMs, timing) : FALLBACK_MS;
  const { blobs, problems } = deps.store;
  const stored = await blobs.read(problem.manifest);
  const manifest = stored && decodeJson(ProblemManifest, stored);
  if (manifest === undefined) throw new Error(`${problem.manifest} is no manifest`);
  const next = { ...manifest, limits: { ...manifest.limits, timeMs } };
  const sha256 = await blobs.put(Buffer.from(JSON.stringify(next)));
  await blobs.keep([sha256]);
  const inferred = { timeMs, programs: times.length, ...(times.length > 0 ? { slowestMs } : {}) };
  if (await problems.setTimeLimit({ problem, manifest: sha256, inferred })) {
    deps.log.info({ problem: problem._id, ...inferred }, "time limit inferred");
  }
}

/** Looks after problems that were imported without a time limit. */
export function createTimeLimits(deps: TimeLimitDeps): Service {
  return repeat({
    name: "time limits",
    intervalMs: INTERVAL_MS,
    log: deps.log,
    async act(signal) {
      for (const problem of await deps.store.problems.timed()) {
        if (signal.aborted) return;
        try {
          if (problem.timing !== undefined) await infer(deps, problem, problem.timing);
        } catch (error) {
          // One that fails must not hold up the others.
          deps.log.error(
            { err: error, problem: problem._id },
            "a time limit cannot be inferred; trying again",
          );
        }
      }
    },
  });
}
