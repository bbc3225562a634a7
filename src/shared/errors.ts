import type { FaultCode } from "./protocol.ts";

/**
 * Every mistake of a caller that the server answers with a code: the same code in GraphQL (`UserError.code` and
 * `extensions.code`), in REST (`code` of the problem document) and in docs/errors.md, which codegen.ts prints from
 * this table. `type` is the GraphQL type of a result union's member.
 */
interface ErrorDefinition {
  readonly type: string;
  readonly httpStatus: number;
  /** The same request can succeed later as it is; the answer carries `retryAfterMs`. */
  readonly retryable?: true;
  /** A limit was passed; the answer carries it as `limit`. */
  readonly limited?: true;
  readonly doc: string;
}

const define = <const T extends Record<string, ErrorDefinition>>(definitions: T): T => definitions;

export const ERRORS = define({
  INPUT_INVALID: {
    type: "InputInvalid",
    httpStatus: 400,
    doc: "Something in the input has the wrong form; the message names the field and what is expected.",
  },
  UNAUTHENTICATED: {
    type: "Unauthenticated",
    httpStatus: 401,
    doc: "No API key, or one that is unknown, expired or revoked. Send `Authorization: Bearer <key>`.",
  },
  FORBIDDEN: {
    type: "Forbidden",
    httpStatus: 403,
    doc: "The API key's role does not allow this.",
  },
  ORIGIN_NOT_ALLOWED: {
    type: "OriginNotAllowed",
    httpStatus: 403,
    doc: "A browser page of another origin sent this. Name its host in DOCKET_ALLOWED_HOSTS to allow it.",
  },
  HOST_NOT_ALLOWED: {
    type: "HostNotAllowed",
    httpStatus: 421,
    doc: "The Host header names no host of this server. Name it in DOCKET_ALLOWED_HOSTS to allow it.",
  },
  NOT_FOUND: {
    type: "NotFound",
    httpStatus: 404,
    doc: "There is nothing at this address.",
  },
  SUBMISSION_NOT_FOUND: {
    type: "SubmissionNotFound",
    httpStatus: 404,
    doc: "There is no submission with this id, or it belongs to somebody else.",
  },
  SUBMISSION_FINAL: {
    type: "SubmissionFinal",
    httpStatus: 409,
    doc: "The submission has its final state; there is nothing left to cancel.",
  },
  NOT_A_DEAD_LETTER: {
    type: "NotADeadLetter",
    httpStatus: 409,
    doc: "The submission was not given up, or somebody has it judged again just now: there is nothing to redrive or discard.",
  },
  REJUDGE_NOT_FOUND: {
    type: "RejudgeNotFound",
    httpStatus: 404,
    doc: "There is no rejudge with this id. `rejudges` lists those that there are.",
  },
  REJUDGE_NOT_READY: {
    type: "RejudgeNotReady",
    httpStatus: 409,
    doc: "Not all of the rejudge's submissions are judged yet. Wait until its state is READY, or cancel it.",
  },
  REJUDGE_CLOSED: {
    type: "RejudgeClosed",
    httpStatus: 409,
    doc: "The rejudge was applied, and cannot be cancelled; or it was cancelled, and cannot be applied. Make a new one.",
  },
  WEBHOOK_NOT_FOUND: {
    type: "WebhookNotFound",
    httpStatus: 404,
    doc: "There is no webhook or delivery with this id, or it belongs to somebody else.",
  },
  EXECUTOR_NOT_FOUND: {
    type: "ExecutorNotFound",
    httpStatus: 404,
    doc: "No executor of this name has been heard of in the last seconds. `executors` lists those that there are.",
  },
  PROBLEM_NOT_FOUND: {
    type: "ProblemNotFound",
    httpStatus: 404,
    doc: "There is no problem with this id. `problems` lists those that there are.",
  },
  PROBLEM_TAKEN_OUT: {
    type: "ProblemTakenOut",
    httpStatus: 409,
    doc: "The problem takes no submissions just now: its output validator kept failing. The jury mends it and imports it again, or puts it back with `reinstateProblem`.",
  },
  CONTEST_NOT_FOUND: {
    type: "ContestNotFound",
    httpStatus: 404,
    doc: "There is no contest with this id. `contests` lists those that there are.",
  },
  CONTEST_EXISTS: {
    type: "ContestExists",
    httpStatus: 409,
    doc: "There is a contest with this id already. Take another id, or `updateContest`.",
  },
  CONTEST_CHANGED: {
    type: "ContestChanged",
    httpStatus: 409,
    doc: "Somebody else has changed the contest since `version`. Read it again, then change it.",
  },
  CONTEST_NOT_STARTED: {
    type: "ContestNotStarted",
    httpStatus: 425,
    retryable: true,
    doc: "The contest takes submissions from its `startsAt` on.",
  },
  CONTEST_OVER: {
    type: "ContestOver",
    httpStatus: 403,
    doc: "The contest takes no submissions any more. Without `contest` it is practice.",
  },
  NOT_A_PARTICIPANT: {
    type: "NotAParticipant",
    httpStatus: 403,
    doc: "The contest is not open and does not name this owner as a participant.",
  },
  PROBLEM_NOT_IN_CONTEST: {
    type: "ProblemNotInContest",
    httpStatus: 422,
    doc: "The problem is not one of the contest's. `contest { problems }` lists them once it has started.",
  },
  LANGUAGE_NOT_OFFERED: {
    type: "LanguageNotOffered",
    httpStatus: 422,
    doc: "No executor offers this language. `languages` lists those on offer, with reasons for the others.",
  },
  SOURCE_EMPTY: {
    type: "SourceEmpty",
    httpStatus: 422,
    doc: "No source was given, or all files are empty.",
  },
  SOURCE_TOO_LARGE: {
    type: "SourceTooLarge",
    httpStatus: 413,
    limited: true,
    doc: "The files together are larger than the server (limit sourceBytes) or the problem allows.",
  },
  TOO_MANY_FILES: {
    type: "TooManyFiles",
    httpStatus: 422,
    limited: true,
    doc: "More files than the limit sourceFiles.",
  },
  FILE_NAME_INVALID: {
    type: "FileNameInvalid",
    httpStatus: 422,
    doc: "A file name is not usable: plain names of letters, digits, '_', '-', '.', '+' without folders, each once.",
  },
  IDEMPOTENCY_CONFLICT: {
    type: "IdempotencyConflict",
    httpStatus: 409,
    doc: "This idempotency key was used before with another content. Take a new key for a new submission.",
  },
  PACKAGE_REFUSED: {
    type: "PackageRefused",
    httpStatus: 422,
    doc: "The problem package has mistakes or asks for something not supported; `findings` lists all of them.",
  },
  REQUEST_TOO_LARGE: {
    type: "RequestTooLarge",
    httpStatus: 413,
    doc: "The request body is larger than the limit requestBytes (archive uploads: packageBytes).",
  },
  MEDIA_TYPE_UNSUPPORTED: {
    type: "MediaTypeUnsupported",
    httpStatus: 415,
    doc: "The request body's Content-Type is not one that this address reads.",
  },
  METHOD_NOT_ALLOWED: {
    type: "MethodNotAllowed",
    httpStatus: 405,
    doc: "This address does not answer this method; the Allow header lists those that it does.",
  },
  QUERY_TOO_COMPLEX: {
    type: "QueryTooComplex",
    httpStatus: 400,
    doc: "The GraphQL document is deeper (queryDepth), longer (queryCharacters) or costs more (queryComplexity) than the limits.",
  },
  RATE_LIMITED: {
    type: "RateLimited",
    httpStatus: 429,
    retryable: true,
    limited: true,
    doc: "More submissions a second than one owner (ownerPerSecond, ownerBurst) or one contest (contestPerSecond, contestBurst) may hand in; try again after `retryAfterMs`.",
  },
  TOO_MANY_UNFINISHED: {
    type: "TooManyUnfinished",
    httpStatus: 429,
    retryable: true,
    limited: true,
    doc: "This owner has as many submissions without a final state as the limit ownerUnfinished allows; wait for some to finish.",
  },
  QUEUE_SATURATED: {
    type: "QueueSaturated",
    httpStatus: 429,
    retryable: true,
    limited: true,
    doc: "So much waits in this lane that a submission would wait longer than its limit (practiceHardWaitMs and so on); try again after `retryAfterMs`.",
  },
  TOO_MANY_CONNECTIONS: {
    type: "TooManyConnections",
    httpStatus: 429,
    retryable: true,
    doc: "This owner holds as many connections (connectionsPerOwner) or subscriptions as the limits allow.",
  },
  SERVICE_UNAVAILABLE: {
    type: "ServiceUnavailable",
    httpStatus: 503,
    retryable: true,
    doc: "The database cannot be reached or the server is stopping. Nothing was stored; try again.",
  },
  INTERNAL_SERVER_ERROR: {
    type: "InternalServerError",
    httpStatus: 500,
    doc: "Our fault; details are in the server's log, never in the answer.",
  },
});

export type ErrorCode = keyof typeof ERRORS;

/**
 * Why a judgement could not be judged: `faultCode` of a try, `code` of a dead letter. Never a verdict. Faults of a
 * part that all jobs share are not counted against a job; the others are, up to the limit `tries`.
 */
export const FAULTS: Readonly<Record<FaultCode | "TRIES_EXHAUSTED", string>> = {
  BLOB_UNAVAILABLE: "A source or test file could not be fetched from the server.",
  BLOB_CORRUPT: "A fetched file does not have the hash that names it.",
  DEADLINE_EXCEEDED: "The whole job took longer than its limits together can explain: the executor hung.",
  DISK_FULL: "The executor's disk is full.",
  INTERNAL: "A mistake in Docket; the log excerpt says where.",
  JOB_MALFORMED: "The job does not fit its schema: server and executor are of different versions.",
  LANGUAGE_NOT_OFFERED: "The executor does not offer the job's language.",
  SANDBOX_FAILED: "The sandbox could not be started.",
  TOOLCHAIN_BROKEN: "The compiler or interpreter itself failed, not the program.",
  VALIDATOR_FAILED: "The problem's own validator does not compile or crashed: the problem must be mended.",
  WORK_FAILED: "The code of another kind of work than judging threw; the log excerpt says where.",
  TRIES_EXHAUSTED: "Starts without an end and faults used up the tries; the tries say more.",
};

/** An error as it goes to a caller: the members of a problem document and of GraphQL's `extensions`. */
export interface CodedError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryAfterMs?: number | undefined;
  readonly limit?: number | undefined;
}
