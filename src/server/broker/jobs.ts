import { JetStreamApiCodes, JetStreamApiError, type JetStreamManager } from "@nats-io/jetstream";
import type { SubmissionId } from "../../shared/ids.ts";
import { LANES, type Lane } from "../../shared/lane.ts";
import type { QueueId } from "../../shared/queue.ts";
import { decodeJson } from "../../shared/nats.ts";
import { Job } from "../../shared/protocol.ts";
import { consumerOf, streamOf, subjects, type Topology } from "../../shared/topology.ts";

/** Look-ups and removals in the job streams. All throw what the broker client throws. */
export interface JobsDeps {
  readonly jsm: JetStreamManager;
  readonly topology: Topology;
}

export interface JobPlace {
  readonly language: QueueId;
  readonly lane: Lane;
  readonly submission: SubmissionId;
}

export interface FoundJob {
  /** Sequence in its stream. */
  readonly seq: number;
  /** Undefined when the message is none of ours: malformed. */
  readonly job: Pick<Job, "generation" | "dispatch"> | undefined;
}

/** The job message of a submission, waiting or held, or undefined. */
export async function findJob(deps: JobsDeps, place: JobPlace): Promise<FoundJob | undefined> {
  const { jsm, topology } = deps;
  const subject = subjects.job(topology, place.language, place.lane, place.submission);
  try {
    const found = await jsm.streams.getMessage(streamOf(topology, place.language), { last_by_subj: subject });
    return found === null ? undefined : { seq: found.seq, job: decodeJson(Job, found.data) };
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.NoMessageFound)
      return undefined;
    throw error;
  }
}

/** Removes one message; what has gone by itself is no error. */
export async function removeJob(deps: JobsDeps, language: QueueId, seq: number): Promise<void> {
  try {
    await deps.jsm.streams.deleteMessage(streamOf(deps.topology, language), seq);
  } catch (error) {
    // 10043 no message with this sequence, 10037 none found, 10057 sequence out of range
    const gone = error instanceof JetStreamApiError && [10_043, 10_037, 10_057].includes(error.code);
    if (!gone) throw error;
  }
}

/**
 * Removes the job of a submission, waiting or held, unless it is of a later generation than this: one that was redriven
 * or rejudged meanwhile has the same subject. By its sequence, so that what is published in between stays.
 */
export async function removeJobUpTo(
  deps: JobsDeps,
  place: JobPlace & { readonly generation: number },
): Promise<void> {
  const found = await findJob(deps, place);
  if (found === undefined || (found.job?.generation ?? 0) > place.generation) return;
  await removeJob(deps, place.language, found.seq);
}

/** How many messages a language's stream holds. */
export async function jobCount(deps: JobsDeps, language: QueueId): Promise<number> {
  return (await deps.jsm.streams.info(streamOf(deps.topology, language))).state.messages;
}

/** Every submission with a message in a language's stream, waiting or held. */
export async function submissionsInStream(deps: JobsDeps, language: QueueId): Promise<Set<string>> {
  const { jsm, topology } = deps;
  const info = await jsm.streams.info(streamOf(topology, language), {
    subjects_filter: subjects.jobsOfLanguage(topology, language),
  });
  const found = new Set<string>();
  for (const subject of Object.keys(info.state.subjects ?? {})) {
    found.add(subject.slice(subject.lastIndexOf(".") + 1));
  }
  return found;
}

export interface LaneDepth {
  readonly waiting: number;
  readonly running: number;
  /** The consumer is done with every job up to this sequence: it will deliver none of them any more. */
  readonly settledTo: number;
  /** Deliveries to executors since the consumer was made, repeated ones among them. */
  readonly started: number;
}

const EMPTY: LaneDepth = { waiting: 0, running: 0, settledTo: 0, started: 0 };

/** What each lane of a language holds. */
export async function laneDepths(deps: JobsDeps, language: QueueId): Promise<ReadonlyMap<Lane, LaneDepth>> {
  const { jsm, topology } = deps;
  const depths = new Map<Lane, LaneDepth>(LANES.map((lane) => [lane, EMPTY]));
  for await (const consumer of jsm.consumers.list(streamOf(topology, language))) {
    const lane = LANES.find((one) => consumerOf(one) === consumer.name);
    if (!lane) continue;
    const { num_pending: waiting, num_ack_pending: running, ack_floor: floor, delivered } = consumer;
    depths.set(lane, {
      waiting,
      running,
      settledTo: floor.stream_seq,
      started: delivered.consumer_seq,
    });
  }
  return depths;
}
