import type { z } from "zod";
import { JudgeResult } from "../shared/judging.ts";
import { isJury, type Viewer } from "./auth.ts";
import { isWork, type JudgementDocument, revisionOf, type SubmissionSnapshot } from "./store/documents.ts";

/** What both faces (GraphQL and REST) show of a submission, read out of the stored documents in one place. */

/** Results so far: those of a running judgement have no verdict yet. */
const StoredResult = JudgeResult.partial({ verdict: true, cpuMs: true, memoryKiB: true });
export type Results = z.infer<typeof StoredResult>;

const NOTHING_YET: Results = { testsTotal: 0, tests: [] };

/** A result of another kind of work shows as nothing, and so does what does not fit the schema, but for the verdict. */
export function resultsOf(judgement: Pick<JudgementDocument, "result">): Results {
  if (judgement.result === undefined) return NOTHING_YET;
  const parsed = StoredResult.safeParse(judgement.result);
  if (parsed.success) return parsed.data;
  // An executor that reports nonsense beside a verdict does not take the verdict from its owner.
  const judged = JudgeResult.pick({ verdict: true }).safeParse(judgement.result);
  return judged.success ? { ...NOTHING_YET, ...judged.data } : NOTHING_YET;
}

/** Owners see their own submissions, jury sees all; everything else looks as if it were not there. */
export const maySee = (viewer: Viewer, snapshot: SubmissionSnapshot): boolean =>
  !isWork(snapshot.submission) && isTheirs(viewer, snapshot);

export const isTheirs = (viewer: Viewer, { submission }: SubmissionSnapshot): boolean =>
  submission.owner === viewer.owner || isJury(viewer);

export interface SubmissionView {
  readonly snapshot: SubmissionSnapshot;
  readonly revision: number;
  readonly results: Results;
}

export const viewOf = (snapshot: SubmissionSnapshot): SubmissionView => ({
  snapshot,
  revision: revisionOf(snapshot.judgement),
  results: resultsOf(snapshot.judgement),
});
