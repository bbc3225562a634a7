import {
  AckPolicy,
  type ConsumerConfig,
  DiscardPolicy,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import type { Fence } from "./fence.ts";
import type { ExecutorId, SubmissionId } from "./ids.ts";
import type { Lane } from "./lane.ts";
import type { LanguageId } from "./language.ts";
import { type QueueId, queuesOf, type WorkName } from "./queue.ts";

/**
 * Every stream, consumer and subject by name, in one place. `prefix` lets several stacks (test suites) share one
 * nats-server: "" in production, e.g. "t7_" in tests; it goes in front of stream names and of each subject's
 * first token.
 */
export interface Topology {
  readonly prefix: string;
  /** 1 for a single nats-server, 3 on a cluster. */
  readonly replicas: number;
  /** What this deployment judges: a queue each. All languages by default; fewer are less for a cluster to replicate. */
  readonly languages?: readonly LanguageId[] | undefined;
  /** Kinds of work besides judging, each with a queue of its own. */
  readonly works?: readonly WorkName[] | undefined;
}

/** A lease is lost this long after the last confirmed heartbeat, milliseconds. Why these: docs/adr/0013. */
export const ACK_WAIT_MS = 6_000;
/** Time between two heartbeats of a running job, milliseconds. */
export const HEARTBEAT_INTERVAL_MS = 1_500;
/** Without a confirmed heartbeat for this long a holder kills its sandbox and stays silent, milliseconds. */
export const SELF_FENCE_MS = ACK_WAIT_MS - 1_500;
/** Net under the recorder's own count of tries. */
export const MAX_DELIVER = 20;
export const PRESENCE_INTERVAL_MS = 2_000;
/** An executor not heard of for this long is taken as gone, milliseconds. */
export const PRESENCE_TTL_MS = 7_000;
/** JetStream forgets message ids after this long, milliseconds. */
export const DUPLICATE_WINDOW_MS = 120_000;

const millisToNanos = (ms: number): number => ms * 1_000_000;

export const RECORDER_CONSUMER = "recorder";
export const ADVISORY_CONSUMER = "deadletters";

/** What of the broker's advisories about jobs is captured. */
const JOB_ADVISORIES = ["MAX_DELIVERIES", "MSG_TERMINATED"] as const;

export const streamOf = (t: Topology, language: QueueId): string =>
  `${t.prefix}JOBS_${language.toUpperCase()}`;
export const eventStreamOf = (t: Topology): string => `${t.prefix}JUDGE_EVENTS`;
/** Captured advisories: the net for crash loops that nobody reported, and for jobs that nobody could read. */
export const advisoryStreamOf = (t: Topology): string => `${t.prefix}JOB_ADVISORIES`;
/** Durable pull consumer of a lane within a language's stream. */
export const consumerOf = (lane: Lane): string => lane;

export const subjects = {
  job: (t: Topology, language: QueueId, lane: Lane, submission: SubmissionId) =>
    `${t.prefix}jobs.${language}.${lane}.${submission}`,
  jobsOfLane: (t: Topology, language: QueueId, lane: Lane) => `${t.prefix}jobs.${language}.${lane}.*`,
  jobsOfLanguage: (t: Topology, language: QueueId) => `${t.prefix}jobs.${language}.*.*`,
  /** JetStream republishes each stored job here without its body: the wake-up of idle executors. */
  hint: (t: Topology, language: QueueId, lane: Lane) => `${t.prefix}hint.${language}.${lane}`,
  event: (t: Topology, executor: ExecutorId, submission: SubmissionId) =>
    `${t.prefix}events.${executor}.${submission}`,
  allEvents: (t: Topology) => `${t.prefix}events.*.*`,
  update: (t: Topology, submission: SubmissionId) => `${t.prefix}updates.${submission}`,
  allUpdates: (t: Topology) => `${t.prefix}updates.*`,
  fenceCheck: (t: Topology) => `${t.prefix}fence.check`,
  presence: (t: Topology, executor: ExecutorId) => `${t.prefix}presence.${executor}`,
  allPresence: (t: Topology) => `${t.prefix}presence.*`,
  control: (t: Topology, executor: ExecutorId) => `${t.prefix}control.${executor}`,
} as const;

/** `Nats-Msg-Id` of a job: a repeated publish of one dispatch is one job. */
export const jobMessageId = (submission: SubmissionId, generation: number, dispatch: number): string =>
  `${submission}#${generation}#${dispatch}`;

/** `Nats-Msg-Id` of an event: a repeated publish is one event. */
export const eventMessageId = (submission: SubmissionId, fence: Fence, seq: number): string =>
  `${submission}#${fence.generation}#${fence.dispatch}#${fence.delivery}#${seq}`;

export function jobStreamConfig(t: Topology, language: QueueId): Partial<StreamConfig> & { name: string } {
  return {
    name: streamOf(t, language),
    subjects: [subjects.jobsOfLanguage(t, language)],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    num_replicas: t.replicas,
    // One waiting job per submission: the broker itself refuses a double (error 10077).
    discard: DiscardPolicy.New,
    discard_new_per_subject: true,
    max_msgs_per_subject: 1,
    max_msg_size: 64 * 1024,
    duplicate_window: millisToNanos(DUPLICATE_WINDOW_MS),
    republish: {
      src: subjects.jobsOfLanguage(t, language),
      dest: `${t.prefix}hint.${language}.{{wildcard(1)}}`,
      headers_only: true,
    },
  };
}

export function laneConsumerConfig(t: Topology, language: QueueId, lane: Lane): Partial<ConsumerConfig> {
  return {
    durable_name: consumerOf(lane),
    filter_subject: subjects.jobsOfLane(t, language, lane),
    ack_policy: AckPolicy.Explicit,
    ack_wait: millisToNanos(ACK_WAIT_MS),
    max_deliver: MAX_DELIVER,
    max_ack_pending: -1,
    max_waiting: 4096,
  };
}

export function eventStreamConfig(t: Topology): Partial<StreamConfig> & { name: string } {
  return {
    name: eventStreamOf(t),
    subjects: [subjects.allEvents(t)],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    num_replicas: t.replicas,
    // Full means executors hold their jobs and stop pulling; nothing is dropped.
    discard: DiscardPolicy.New,
    max_bytes: 1024 * 1024 * 1024,
    max_msg_size: 1024 * 1024,
    duplicate_window: millisToNanos(DUPLICATE_WINDOW_MS),
  };
}

export function recorderConsumerConfig(): Partial<ConsumerConfig> {
  return {
    durable_name: RECORDER_CONSUMER,
    ack_policy: AckPolicy.Explicit,
    ack_wait: millisToNanos(10_000),
    max_deliver: -1,
    max_ack_pending: 4096,
  };
}

export function advisoryStreamConfig(t: Topology): Partial<StreamConfig> & { name: string } {
  return {
    name: advisoryStreamOf(t),
    // A wildcard stands for a whole token only, so each stream is named.
    subjects: queuesOf(t).flatMap((language) =>
      JOB_ADVISORIES.map((kind) => `$JS.EVENT.ADVISORY.CONSUMER.${kind}.${streamOf(t, language)}.*`),
    ),
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    num_replicas: t.replicas,
    discard: DiscardPolicy.New,
    max_msgs: 100_000,
  };
}

export function advisoryConsumerConfig(): Partial<ConsumerConfig> {
  return {
    durable_name: ADVISORY_CONSUMER,
    ack_policy: AckPolicy.Explicit,
    ack_wait: millisToNanos(30_000),
    max_deliver: -1,
  };
}
