import type { DeliveryDocument } from "../store/deliveries.ts";
import type { JudgementDocument, SubmissionSnapshot } from "../store/documents.ts";
import { viewOf } from "../submissionview.ts";

const time = (date: Date | undefined): string | null => date?.toISOString() ?? null;

/**
 * The body of a delivery: `type`, `timestamp` and `data` as the Standard Webhooks specification has them. Made of what
 * never changes any more, so that each try sends the same. Nothing in it is the jury's alone.
 */
export function payloadOf(
  { event, createdAt }: Pick<DeliveryDocument, "event" | "createdAt">,
  snapshot: SubmissionSnapshot | undefined,
): string {
  if (snapshot === undefined) {
    return JSON.stringify({ type: event, timestamp: createdAt.toISOString(), data: {} });
  }
  const { submission, judgement } = snapshot;
  const { revision, results } = viewOf(snapshot);
  const finished = judgement.state === "FINISHED";
  const data = {
    submission: {
      id: submission._id,
      revision,
      generation: judgement.generation,
      state: judgement.state,
      verdict: finished ? (results.verdict ?? null) : null,
      problem: submission.problem,
      language: submission.language,
      lane: submission.lane,
      contest: submission.contest ?? null,
      owner: submission.owner,
      idempotencyKey: submission.idempotencyKey,
      cpuMs: results.cpuMs ?? null,
      memoryKiB: results.memoryKiB ?? null,
      testsDone: results.tests.length,
      testsTotal: results.testsTotal,
      createdAt: submission.createdAt.toISOString(),
      startedAt: time(judgement.startedAt),
      finishedAt: time(judgement.finishedAt),
    },
    ...previousOf(judgement),
  };
  return JSON.stringify({ type: event, timestamp: createdAt.toISOString(), data });
}

/** Of a rejudge: what counted before. */
function previousOf({ rejudge }: JudgementDocument) {
  if (rejudge === undefined) return {};
  const { id, from } = rejudge;
  return { rejudge: id, previous: { state: from.state, verdict: from.verdict ?? null } };
}
