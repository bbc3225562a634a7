import type { Sha256 } from "../../shared/ids.ts";
import { JUDGE_KIND, type JudgePayload, JudgeResult, ProblemManifest } from "../../shared/judging.ts";
import { decodeJson } from "../../shared/nats.ts";
import { createRecent, type Evicted } from "../../shared/recent.ts";
import { BlobDamaged, type BlobStore } from "../store/blobs.ts";
import type { Problems } from "../store/problems.ts";
import type { WorkKind } from "./work.ts";

/** Largest factor between a problem's time limit and the wall time that an executor grants one test. */
export const WALL_FACTOR = 80;
/** Between the CPU limit of a step (compiling, validating) and the wall time that it may take on a busy machine. */
export const STEP_FACTOR = 20;
/** Per test for starting, feeding and cleaning up; and once per job for blobs and queues on the executor. */
export const TEST_MARGIN_MS = 30_000;
export const JOB_MARGIN_MS = 60_000;
const LONGEST_MS = 24 * 3_600_000;

const Judged = JudgeResult.pick({ verdict: true });

/** The sum of all that a job may take under its limits, generously: past it something of ours is stuck. */
export function judgeDeadlineMs({ limits, tests, passes = 1 }: ProblemManifest): number {
  const pass = limits.timeMs * WALL_FACTOR + limits.validationTimeMs * STEP_FACTOR + TEST_MARGIN_MS;
  // Program and validator may both have to be compiled.
  const compile = 2 * limits.compilationTimeMs * STEP_FACTOR;
  // One test of a job may be run a second time.
  return Math.min(LONGEST_MS, JOB_MARGIN_MS + compile + pass * passes * (tests.length + 1));
}

/** Judging as the backbone's first kind of work. Manifests are immutable: each is read once. */
export function createJudgeWork(deps: {
  readonly blobs: Pick<BlobStore, "read">;
  readonly problems: Pick<Problems, "get">;
  readonly evicted: Evicted;
}): WorkKind {
  const deadlines = createRecent<Sha256, number>("rememberedDeadlines", deps.evicted);

  return {
    kind: JUDGE_KIND,
    payload: (submission): JudgePayload => ({
      language: submission.language,
      files: [...submission.files],
      ...(submission.entryPoint === undefined ? {} : { entryPoint: submission.entryPoint }),
      ...(submission.allTests === undefined ? {} : { allTests: submission.allTests }),
      problem: submission.problem,
      manifest: submission.manifest,
    }),
    newestVersion: async ({ problem }) => (await deps.problems.get(problem))?.manifest,
    // What else of it cannot be read shows as nothing; a final state without a verdict must not come about.
    isResult: (result, final) => !final || Judged.safeParse(result).success,
    blobs: (submission) => [...submission.files.map((file) => file.sha256), submission.manifest],
    async deadlineMs({ manifest }) {
      const known = deadlines.get(manifest);
      if (known !== undefined) return known;
      const content = await deps.blobs.read(manifest).catch((error: unknown) => {
        if (error instanceof BlobDamaged) return undefined;
        throw error;
      });
      const parsed = content && decodeJson(ProblemManifest, content);
      // The executor reports the missing or damaged blob as a fault, with the reason where it is looked for.
      if (!parsed) return LONGEST_MS;
      const deadline = judgeDeadlineMs(parsed);
      deadlines.set(manifest, deadline);
      return deadline;
    },
  };
}
