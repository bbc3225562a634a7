import type { Viewer } from "./auth.ts";
import {
  isWork,
  type JudgementDocument,
  type SubmissionSnapshot,
  type WorkDocument,
} from "./store/documents.ts";
import { isTheirs } from "./submissionview.ts";

/** Work of another kind than judging, as it is shown. */
export interface WorkView {
  readonly work: WorkDocument;
  readonly judgement: JudgementDocument;
}

/** Undefined for a submission, and for what is somebody else's. */
export function workViewOf(viewer: Viewer, snapshot: SubmissionSnapshot): WorkView | undefined {
  const handedIn: SubmissionSnapshot["submission"] | WorkDocument = snapshot.submission;
  if (!isWork(handedIn) || !isTheirs(viewer, snapshot)) return undefined;
  return { work: handedIn, judgement: snapshot.judgement };
}
