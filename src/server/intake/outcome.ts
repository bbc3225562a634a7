import type { ErrorCode } from "../../shared/errors.ts";
import type { Lane } from "../../shared/lane.ts";
import type { LimitName, Limits } from "../../shared/limits.ts";
import type { Role, SubmissionSnapshot } from "../store/documents.ts";

/** What somebody hands in, not yet checked. */
export interface SubmitInput {
  readonly owner: string;
  readonly role: Role;
  readonly problem: string;
  readonly language: string;
  readonly files: readonly { readonly name: string; readonly content: Uint8Array }[];
  readonly entryPoint?: string | undefined;
  /** Jury and admin only: runs on after a rejected test. */
  readonly allTests?: boolean | undefined;
  /** The same key of the same owner with the same content is the same submission, for ever. */
  readonly idempotencyKey?: string | undefined;
  /** Jury and admin only; "practice" by default, and "contest" in a contest. */
  readonly lane?: Lane | undefined;
  /** Id of the contest that it is handed in to. */
  readonly contest?: string | undefined;
}

/** A caller's mistake, or a "not now", with a code of shared/errors.ts. */
export interface Refusal {
  readonly type: "refused";
  readonly code: Extract<
    ErrorCode,
    | "PROBLEM_NOT_FOUND"
    | "PROBLEM_TAKEN_OUT"
    | "LANGUAGE_NOT_OFFERED"
    | "SOURCE_TOO_LARGE"
    | "SOURCE_EMPTY"
    | "TOO_MANY_FILES"
    | "FILE_NAME_INVALID"
    | "IDEMPOTENCY_CONFLICT"
    | "RATE_LIMITED"
    | "TOO_MANY_UNFINISHED"
    | "QUEUE_SATURATED"
    | "CONTEST_NOT_FOUND"
    | "CONTEST_NOT_STARTED"
    | "CONTEST_OVER"
    | "NOT_A_PARTICIPANT"
    | "PROBLEM_NOT_IN_CONTEST"
    | "INPUT_INVALID"
    | "FORBIDDEN"
    | "SERVICE_UNAVAILABLE"
  >;
  /** Says what to do. */
  readonly message: string;
  /** The limit that was passed, where it was one. */
  readonly limit?: number;
  /** Its name, where it is one of the server's; for docket_refused_total. */
  readonly limitName?: LimitName;
  /** Try the same again after this, milliseconds. */
  readonly retryAfterMs?: number;
}

/** Where something stands that waits. */
export interface Wait {
  /** Among those of its language and lane; 1: it is the next one. */
  readonly position: number;
  /** Until it starts, milliseconds; undefined: nobody can tell. */
  readonly waitMs: number | undefined;
  /** Why nobody takes it at all. */
  readonly reason?: string;
}

export interface Accepted {
  readonly type: "accepted";
  readonly snapshot: SubmissionSnapshot;
  /** The idempotency key was used before with the same content; nothing new was stored. */
  readonly replayed: boolean;
  /** It will wait longer than the soft limit of its lane. */
  readonly delayedFeedback?: boolean;
}

export type SubmitOutcome = Accepted | Refusal;

/** A limit of the server's that was passed, as a refusal names it. */
export const passed = (limits: Limits, name: LimitName): Pick<Refusal, "limit" | "limitName"> => ({
  limit: limits[name],
  limitName: name,
});

export const refuse = (
  code: Refusal["code"],
  message: string,
  more: Pick<Refusal, "limit" | "limitName" | "retryAfterMs"> = {},
): Refusal => ({ type: "refused", code, message, ...more });
