import type { JudgementDocument, SubmissionDocument } from "../store/documents.ts";
import type { Submissions } from "../store/submissions.ts";

/**
 * The submission, pointing to this judgement. A judging after the first is stored before its submission points to it;
 * whoever finds the two apart (the redrive that made it, or the outbox after that one's crash) brings them together,
 * before a job is published. That of a rejudge counts when it is applied, and not before. Throws StoreUnavailable.
 */
export async function pointTo(
  submissions: Pick<Submissions, "pointTo">,
  submission: SubmissionDocument,
  { generation, manifest, rejudge }: Pick<JudgementDocument, "generation" | "manifest" | "rejudge">,
): Promise<SubmissionDocument> {
  if (rejudge !== undefined || submission.generation >= generation) return submission;
  await submissions.pointTo({ id: submission._id, generation, manifest });
  return { ...submission, generation, ...(manifest === undefined ? {} : { manifest }) };
}
