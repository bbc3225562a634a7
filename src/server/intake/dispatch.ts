import { JetStreamApiError } from "@nats-io/jetstream";
import { issueCapability } from "../../shared/capability.ts";
import type { CrashPoint } from "../../shared/crashpoint.ts";
import type { Clock } from "../../shared/clock.ts";
import { encodeJson, traceHeaders } from "../../shared/nats.ts";
import { type Job, PROTOCOL_VERSION } from "../../shared/protocol.ts";
import { jobMessageId, subjects, type Topology } from "../../shared/topology.ts";
import { childOf, type Tracer } from "../../shared/trace.ts";
import { findJob, removeJob } from "../broker/jobs.ts";
import type { Link } from "../broker/link.ts";
import type { JudgementDocument, SubmissionDocument } from "../store/documents.ts";
import type { IntakeMeasures } from "./measures.ts";
import type { Window } from "./window.ts";
import type { WorkKind } from "./work.ts";

export interface DispatchDeps {
  readonly link: Link;
  readonly topology: Topology;
  readonly capabilitySecret: string;
  readonly works: ReadonlyMap<string, WorkKind>;
  readonly window: Window;
  readonly measures: IntakeMeasures;
  readonly crash: CrashPoint;
  readonly clock: Clock;
  readonly tracer: Tracer;
}

/** The subject holds a message already. */
const SUBJECT_TAKEN = 10_077;
const TRIES = 3;

async function jobOf(
  deps: DispatchDeps,
  judgement: JudgementDocument,
  submission: SubmissionDocument,
): Promise<Job> {
  const work = deps.works.get(judgement.kind);
  if (work === undefined)
    throw new Error(`judgement ${judgement._id} is of the unknown kind ${judgement.kind}`);
  const { generation, dispatch, language, lane, manifest } = judgement;
  // By the version of this judging, whether it counts yet or not.
  const judged = manifest === undefined ? submission : { ...submission, manifest };
  const claims = { submission: submission._id, generation, dispatch, blobs: [...work.blobs(judged)] };
  return {
    v: PROTOCOL_VERSION,
    kind: judgement.kind,
    submission: submission._id,
    generation,
    dispatch,
    language,
    lane,
    capability: issueCapability(deps.capabilitySecret, claims),
    deadlineMs: await work.deadlineMs(judged),
    payload: work.payload(judged),
  };
}

/**
 * Puts the job of a judgement into its stream: the only publisher of jobs. The judgement's `dispatch` must have
 * been raised and stored before. When it returns, the job is there, or was there in this same dispatch (it may
 * have been taken meanwhile): publishing is safe to repeat. Throws BrokerUnavailable, and what the broker's client
 * throws, when that is not certain: the caller's judgement stays PENDING and the outbox tries again.
 */
export async function publishJob(
  deps: DispatchDeps,
  judgement: JudgementDocument,
  submission: SubmissionDocument,
): Promise<void> {
  const { link, topology, window, measures } = deps;
  const { language, lane, generation, dispatch } = judgement;
  const place = { language, lane, submission: submission._id };
  const job = encodeJson(await jobOf(deps, judgement, submission));
  const parent = deps.tracer.root({ submission: submission._id, generation });
  const context = childOf(parent);
  const startMs = deps.clock.now();
  deps.crash("dispatch.beforePublish");
  for (let go = 0; go < TRIES; go++) {
    const { js, jsm } = link.use();
    const over = window.took(language, lane);
    try {
      const ack = await js.publish(subjects.job(topology, language, lane, submission._id), job, {
        msgID: jobMessageId(submission._id, generation, dispatch),
        ...traceHeaders(context),
      });
      const endMs = deps.clock.now();
      const attributes = { "docket.dispatch": dispatch, "docket.language": language, "docket.lane": lane };
      deps.tracer.ended({ name: "publish", context, parent, kind: "producer", startMs, endMs, attributes });
      measures.dispatched.inc({ outcome: ack.duplicate ? "duplicate" : "published" });
      deps.crash("dispatch.afterPublish");
      return;
    } catch (error) {
      if (!(error instanceof JetStreamApiError) || error.code !== SUBJECT_TAKEN) throw error;
    } finally {
      over();
    }
    const found = await findJob({ jsm, topology }, place);
    if (found === undefined) continue;
    const older =
      found.job === undefined ||
      found.job.generation < generation ||
      (found.job.generation === generation && found.job.dispatch < dispatch);
    if (!older) {
      measures.dispatched.inc({ outcome: "present" });
      return;
    }
    // A dispatch that no longer counts. Whoever holds it learns at its fence check, or its events are stale.
    await removeJob({ jsm, topology }, language, found.seq);
    measures.dispatched.inc({ outcome: "replaced" });
  }
  throw new Error(`the subject of submission ${submission._id} was taken ${TRIES} times`);
}
