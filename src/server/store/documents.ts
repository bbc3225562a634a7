import type {
  ContestId,
  ExecutorId,
  JudgementId,
  ProblemId,
  RejudgeId,
  Sha256,
  SubmissionId,
} from "../../shared/ids.ts";
import { JUDGE_KIND, type SourceFile } from "../../shared/judging.ts";
import { BOUNDS } from "../../shared/limits.ts";
import type { Lane } from "../../shared/lane.ts";
import type { LanguageId, Resource } from "../../shared/language.ts";
import type { QueueId } from "../../shared/queue.ts";
import type { FaultCode, HolderTimes } from "../../shared/protocol.ts";

/** Shapes in MongoDB. Only `store/` reads and writes them. */

export type Role = "participant" | "jury" | "admin";

export interface SubmissionDocument {
  readonly _id: SubmissionId;
  readonly owner: string;
  /** Unique with `owner`. Made up by the server where the client gave none. */
  readonly idempotencyKey: string;
  /** SHA-256 over problem, language, entry point and files: the same key with another content is refused. */
  readonly contentHash: Sha256;
  readonly kind: string;
  readonly problem: ProblemId;
  readonly manifest: Sha256;
  readonly language: LanguageId;
  readonly files: readonly SourceFile[];
  readonly entryPoint?: string;
  /** Runs on after a rejected test. */
  readonly allTests?: boolean;
  readonly lane: Lane;
  /** It was handed in to this contest. */
  readonly contest?: ContestId;
  /** Generation of the judgement that counts. */
  readonly generation: number;
  /** It is part of this rejudge, which is neither applied nor cancelled: of one at a time. */
  readonly rejudge?: RejudgeId;
  readonly createdAt: Date;
}

/**
 * Work of another kind than judging that somebody handed in. It lies beside the submissions and takes the same way;
 * whoever shows what he has read asks `isWork` first. Its "judgement" is one doing of it.
 */
export interface WorkDocument extends Omit<
  SubmissionDocument,
  "problem" | "manifest" | "language" | "entryPoint"
> {
  /** Its queue: the name of its kind, or a language's of a program that is run on its owner's input. */
  readonly language: QueueId;
  /** What its own schema took. */
  readonly input: unknown;
  /** Removed then. Missing: kept for ever. */
  readonly expiresAt?: Date;
}

export const isWork = (handedIn: SubmissionDocument | WorkDocument): handedIn is WorkDocument =>
  handedIn.kind !== JUDGE_KIND;

export type JudgementState = "PENDING" | "QUEUED" | "RUNNING" | "FINISHED" | "FAILED" | "CANCELLED";

/** One holder's go at the job. `end` is missing while it runs and for ever when the holder died. */
export interface Try {
  readonly dispatch: number;
  readonly delivery: number;
  readonly executor: ExecutorId;
  readonly startedAt: Date;
  readonly end?: {
    readonly type: "finished" | "fault" | "released";
    readonly at: Date;
    readonly code?: FaultCode;
    readonly message?: string;
    readonly log?: string;
    /** Not counted against the job. */
    readonly shared?: boolean;
  };
}

/**
 * Why a judgement was given up. What was done about it later is written beside it and is no change of the judgement:
 * its state stays, no revision grows.
 */
export interface DeadLetter {
  readonly code: FaultCode | "TRIES_EXHAUSTED";
  readonly reason: string;
  readonly at: Date;
  /** Set before the next judgement is made; `generation` once the submission points to it. */
  readonly redrive?: { readonly by: string; readonly at: Date; readonly generation?: number };
  readonly discarded?: { readonly by: string; readonly reason: string; readonly at: Date };
}

/**
 * Of a judging within a rejudge: it counts when that is applied and not before. `from` is what counted when the
 * submission was taken in.
 */
export interface RejudgeMark {
  readonly id: RejudgeId;
  readonly from: {
    readonly generation: number;
    readonly state: JudgementState;
    /** Of a FINISHED one; a word of the kind of work. */
    readonly verdict?: string;
  };
}

export interface JudgementDocument {
  readonly _id: JudgementId;
  readonly submission: SubmissionId;
  readonly generation: number;
  readonly kind: string;
  readonly owner: string;
  /** Of judging only. */
  readonly problem?: ProblemId;
  /** Name of its queue: the language's id where a program is judged. */
  readonly language: QueueId;
  readonly lane: Lane;
  readonly contest?: ContestId;
  readonly state: JudgementState;
  /** How often the job has been published on purpose; raised here before each publish. 0: never yet. */
  readonly dispatch: number;
  /** Newest delivery that an event told of, within `dispatch`; 0: none. */
  readonly delivery: number;
  /** Newest event of that holder. */
  readonly seq: number;
  /** Not to be dispatched (again) before; the outbox looks at PENDING ones past it. */
  readonly dispatchAfter: Date;
  /** Waits here for a place in the queue (`<queue>.<lane>`, see held.ts) and is none of the outbox's; PENDING only. */
  readonly held?: string;
  /** Which claim of the outbox took it last; tells one server's claims from another's. */
  readonly claim?: string;
  /** Grows by 1 with every write; the revision's lower part and the guard of each write. */
  readonly change: number;
  readonly tries: readonly Try[];
  /** Cumulative, of the kind of work; whole once FINISHED. */
  readonly result?: unknown;
  readonly deadLetter?: DeadLetter;
  /** Of a judging that somebody asked for: who. */
  readonly redriveOf?: { readonly generation: number; readonly by: string; readonly at: Date };
  readonly rejudge?: RejudgeMark;
  /** Final, and no webhook has been asked about it yet: set with the final state, and no change when it goes. */
  readonly untold?: true;
  /** Version of the problem from this judging on, where it may be another than before. */
  readonly manifest?: Sha256;
  readonly createdAt: Date;
  readonly startedAt?: Date;
  readonly finishedAt?: Date;
  /** What the holder that finished it says of when. */
  readonly times?: HolderTimes;
  /** A subscriber was first given the final state; written later, and no change. */
  readonly deliveredAt?: Date;
  readonly updatedAt: Date;
  /** As of its work, and a little later, so that no work is ever there without it. */
  readonly expiresAt?: Date;
}

/** Revisions of one generation: as many as `change` has values, and one that is kept for its end. */
const REVISIONS = BOUNDS.changes.value + 2;

/**
 * A submission's revision: grows with every stored change, across rejudges too. Derived, so one guarded write of
 * one document is all that a change takes. At most 2^15 generations of 2^16 revisions: fits GraphQL's Int. Changes
 * beyond the bound `changes` share one revision, and the end has one of its own: no number of changes, by a job given
 * back for days or by an executor that does not stop talking, reaches into the next generation.
 */
export const revisionOf = ({
  generation,
  change,
  state,
}: Pick<JudgementDocument, "generation" | "change" | "state">): number =>
  generation * REVISIONS + Math.min(change, isFinal(state) ? REVISIONS - 1 : BOUNDS.changes.value);

export const isFinal = (state: JudgementState): boolean =>
  state === "FINISHED" || state === "FAILED" || state === "CANCELLED";

/** The judgement that counts, with its submission: what users see. */
export interface SubmissionSnapshot {
  readonly submission: SubmissionDocument;
  readonly judgement: JudgementDocument;
}

export interface ProblemDocument {
  readonly _id: ProblemId;
  readonly name: string;
  /** Newest version. */
  readonly manifest: Sha256;
  /** All blobs of that version, for garbage collection and capabilities. */
  readonly blobs: readonly Sha256[];
  readonly timeMs: number;
  readonly memoryMiB: number;
  readonly codeKiB: number;
  readonly testCount: number;
  /** Submissions may be in these; none: in all. */
  readonly languages?: readonly LanguageId[];
  /** What its programs need of the machine: they are judged in the variant of their language that has it. */
  readonly resource?: Resource;
  /** Set while its time limit is measured, in the shape of problems/timing.ts. */
  readonly timing?: {
    readonly programs: readonly {
      readonly path: string;
      readonly language: LanguageId;
      readonly files: readonly SourceFile[];
    }[];
    readonly factor: number;
    readonly stepMs: number;
  };
  /** What its time limit was inferred from; none: it was given. */
  readonly inferred?: { readonly timeMs: number; readonly programs: number; readonly slowestMs?: number };
  /** Set while no submissions are taken for it (problems/takeout.ts). */
  readonly takenOut?: { readonly at: Date; readonly reason: string };
  /** What its validator did before does not count any more. */
  readonly reinstatedAt?: Date;
  readonly importedAt: Date;
  readonly importedBy: string;
}

export interface ContestDocument {
  readonly _id: ContestId;
  readonly name: string;
  /** Taken are submissions from `startsAt` on and before `endsAt`. */
  readonly startsAt: Date;
  readonly endsAt: Date;
  readonly problems: readonly ProblemId[];
  /** Owners; missing: open to everybody. */
  readonly participants?: readonly string[];
  /** Of all its submissions together, where it is not the limits contestPerSecond and contestBurst. */
  readonly rate?: { readonly perSecond: number; readonly burst: number };
  /** Grows with every change; the guard of each. */
  readonly version: number;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface ApiKeyDocument {
  /** SHA-256 of the key; the key itself is never stored. */
  readonly _id: Sha256;
  readonly owner: string;
  readonly role: Role;
  readonly createdAt: Date;
  readonly expiresAt?: Date;
  readonly note?: string;
}
