import { z } from "zod";
import { Capability } from "./capability.ts";
import { ExecutorId, SubmissionId } from "./ids.ts";
import { Lane, LaneWeights } from "./lane.ts";
import { BOUNDS } from "./limits.ts";
import { PoolSettings } from "./pool.ts";
import { QueueId } from "./queue.ts";

/**
 * The envelopes that cross NATS, parsed at both ends. The backbone (dispatch, worker, lease, recorder,
 * dead letters) knows these and nothing of judging: `payload` and `result` belong to the kind of work.
 */

export const PROTOCOL_VERSION = 1;

/** One job in a JOBS_<LANGUAGE> stream, about 1 KiB of JSON. Its delivery count comes from JetStream. */
export const Job = z.object({
  v: z.literal(PROTOCOL_VERSION),
  /** Which work this is, e.g. "judge". */
  kind: z.string().min(1).max(32),
  submission: SubmissionId,
  generation: z.int().min(1),
  dispatch: z.int().min(1),
  language: QueueId,
  lane: Lane,
  /** Proves that the server gave out this job. */
  capability: Capability,
  /** Upper bound of the whole job on an executor, in milliseconds; past it the executor reports a fault. */
  deadlineMs: z.int().min(1),
  payload: z.unknown(),
});
export type Job = z.infer<typeof Job>;

/** Why a job could not be judged; see docs/errors.md. `shared: true` faults burn no try of the job. */
export const FaultCode = z.enum([
  "BLOB_UNAVAILABLE",
  "BLOB_CORRUPT",
  "DEADLINE_EXCEEDED",
  "DISK_FULL",
  "INTERNAL",
  "JOB_MALFORMED",
  "LANGUAGE_NOT_OFFERED",
  "SANDBOX_FAILED",
  "TOOLCHAIN_BROKEN",
  "VALIDATOR_FAILED",
  "WORK_FAILED",
]);
export type FaultCode = z.infer<typeof FaultCode>;

export const Fault = z.object({
  code: FaultCode,
  message: z.string().max(2000),
  /** Last lines of what the failing part wrote; jury and operators only. */
  log: z.string().max(8000).optional(),
  /** False when another try cannot help (a broken validator): dead-lettered at once. */
  retry: z.boolean(),
  /** True when a part shared by all jobs is out (blob store, disk): not counted against the job. */
  shared: z.boolean(),
});
export type Fault = z.infer<typeof Fault>;

/** When what happened on an executor, milliseconds since 1970 by its clock; for display only. */
export const HolderTimes = z.object({
  /** The queue had the job, by the broker's clock. */
  publishedAtMs: z.int().min(0).max(8_640_000_000_000_000),
  claimedAtMs: z.int().min(0).max(8_640_000_000_000_000),
  /** Each state reported before the last one, in order: of judging, compiled and then each test. */
  stepsAtMs: z.array(z.int().min(0).max(8_640_000_000_000_000)).max(2_000),
});
export type HolderTimes = z.infer<typeof HolderTimes>;

const eventBase = {
  v: z.literal(PROTOCOL_VERSION),
  kind: z.string().min(1).max(32),
  submission: SubmissionId,
  generation: z.int().min(1),
  dispatch: z.int().min(1),
  delivery: z.int().min(1),
  executor: ExecutorId,
  /**
   * Grows by 1 with each event of one lease, from the milliseconds since 1970 at its beginning: orders the events of one
   * holder, and of two that a crashed broker gave the same fence.
   */
  seq: z.int().min(1),
  /** Executor's wall clock, milliseconds since 1970, as far as a Date goes. For display only, never for ordering. */
  atMs: z.int().min(0).max(8_640_000_000_000_000),
  capability: Capability,
};

/**
 * What an executor reports about a job. Every event is cumulative: a later one makes the earlier ones of the
 * same lease superfluous, and `finished` alone carries the whole result.
 */
export const JudgeEvent = z.discriminatedUnion("type", [
  z.object({ ...eventBase, type: z.literal("started") }),
  z.object({ ...eventBase, type: z.literal("compiled"), result: z.unknown() }),
  z.object({ ...eventBase, type: z.literal("progress"), result: z.unknown() }),
  z.object({
    ...eventBase,
    type: z.literal("finished"),
    result: z.unknown(),
    times: HolderTimes.optional(),
  }),
  z.object({ ...eventBase, type: z.literal("fault"), fault: Fault }),
  /** Given back without a fault: the executor drains. */
  z.object({ ...eventBase, type: z.literal("released") }),
]);
export type JudgeEvent = z.infer<typeof JudgeEvent>;

/** Holders in one question. */
export const FENCES_AT_ONCE = 64;

/** Request on `fence.check`: may these holders still run their jobs? Answered by any server. */
export const FenceCheck = z
  .array(
    z.object({
      submission: SubmissionId,
      generation: z.int().min(1),
      dispatch: z.int().min(1),
      delivery: z.int().min(1),
    }),
  )
  .min(1)
  .max(FENCES_AT_ONCE);
export type FenceCheck = z.infer<typeof FenceCheck>;
/** In the order of the question. */
export const FenceAnswer = z.object({ current: z.array(z.boolean()) });
export type FenceAnswer = z.infer<typeof FenceAnswer>;

/** On `updates.<submission>`: something newer is stored. Readers fetch it; the announcement carries no data. */
export const Announcement = z.object({ revision: z.int(), final: z.boolean() });
export type Announcement = z.infer<typeof Announcement>;

/** On `control.<executor>`. */
export const Control = z.discriminatedUnion("type", [
  /** Stop a job that is running there. */
  z.object({ type: z.literal("cancel"), submission: SubmissionId, generation: z.int().min(1) }),
  /** Offer again what was taken out because its jobs kept failing; without a language: all of it. */
  z.object({ type: z.literal("reinstate"), language: QueueId.optional() }),
  /** What was changed of its pool, as a whole. */
  z.object({ type: z.literal("pool"), settings: PoolSettings }),
]);
export type Control = z.infer<typeof Control>;

/** What an executor says of itself is kept in memory and shown: bounded, whoever it is. */
const Said = z.string().max(BOUNDS.presenceCharacters.value);
const few = <T extends z.ZodType>(one: T) => z.array(one).max(BOUNDS.presenceEntries.value);

/** On `presence.<executor>`, every `PRESENCE_INTERVAL_MS`. */
export const Presence = z.object({
  executor: ExecutorId,
  pool: Said,
  /** Languages that passed their self-test here, with the toolchain's own version line. */
  languages: few(z.object({ id: QueueId, version: Said })),
  /** Languages that this executor was told to offer but cannot, and how to mend it. */
  notOffered: few(z.object({ id: QueueId, reason: Said })),
  lanes: few(Lane),
  /** Of these lanes. */
  weights: LaneWeights.optional(),
  slots: z.int().min(0),
  /** As far as the pool can be changed while it runs: lanes and slots that it was started with. */
  can: z.object({ lanes: few(Lane), slots: z.int().min(0) }).optional(),
  /** Newest change of its pool that it was told of; missing: none yet, it asks for it. */
  poolChange: z.int().min(0).optional(),
  /** Of them, those that take contest jobs only. */
  contestReserved: z.int().min(0).optional(),
  running: few(z.object({ submission: SubmissionId, language: QueueId, sinceMs: z.int() })),
  state: z.enum(["starting", "ready", "unhealthy", "draining", "paused"]),
  /** Why it does not pull, when unhealthy or paused. */
  reason: Said.optional(),
  version: Said,
  startedAtMs: z.int(),
});
export type Presence = z.infer<typeof Presence>;
