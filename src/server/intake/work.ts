import type { Sha256 } from "../../shared/ids.ts";
import type { SubmissionDocument } from "../store/documents.ts";

/** What the backbone of the server asks of a kind of work. Judging is the first kind (judgework.ts). */
export interface WorkKind {
  readonly kind: string;
  /** What the executor's half of this kind parses. */
  payload(submission: SubmissionDocument): unknown;
  /** Blobs that the job's holder may fetch. */
  blobs(submission: SubmissionDocument): readonly Sha256[];
  /**
   * Is this what an event of this kind may carry? Asked before it is stored: an executor that sends anything else is
   * broken or hostile. `final`: of the whole result, else of a part of it.
   */
  isResult(result: unknown, final: boolean): boolean;
  /** Upper bound of the whole job, milliseconds; no program can reach it. Throws StoreUnavailable. */
  deadlineMs(submission: SubmissionDocument): Promise<number>;
  /** The version that a doing begun now goes by, where there are versions: a problem's manifest. Throws StoreUnavailable. */
  newestVersion?(submission: SubmissionDocument): Promise<Sha256 | undefined>;
}
