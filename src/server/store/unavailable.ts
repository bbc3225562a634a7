import {
  MongoError,
  MongoNetworkError,
  MongoNotConnectedError,
  MongoServerError,
  MongoServerSelectionError,
  MongoTopologyClosedError,
  MongoWriteConcernError,
} from "mongodb";

/**
 * The database could not be reached or did not confirm in time. What was asked may have happened or not: every
 * write of ours is safe to repeat. Callers answer a retryable error, background parts try again.
 */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
  constructor(cause: unknown) {
    super(`the database is not available: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/** An operation was ended from outside: by an operator, or with its session. */
export const INTERRUPTED = 11_601;

/** Codes that a server sends while it stops, steps down or runs out of time. */
const PASSING_CODES: ReadonlySet<number> = new Set([
  24,
  50,
  64,
  89,
  91,
  189,
  262,
  9001,
  10107,
  11600,
  INTERRUPTED,
  11602,
  13435,
  13436,
]);
const PASSING_LABELS = ["RetryableWriteError", "TransientTransactionError", "ResetPool"];

/** What the operating system says of a connection that breaks under the driver's hands, and of a name not yet known. */
const PASSING_ERRNOS =
  /^E(PIPE|CONNRESET|CONNREFUSED|CONNABORTED|TIMEDOUT|NETUNREACH|HOSTUNREACH|NOTCONN|NOENT|NOTFOUND|AI_AGAIN)$/;

const isErrno = (error: unknown): boolean =>
  error instanceof Error &&
  "code" in error &&
  typeof error.code === "string" &&
  PASSING_ERRNOS.test(error.code);

/** The user's name or password is wrong, or he may not do it. */
const REFUSED_CODES: ReadonlySet<unknown> = new Set([13, 18]);

/** Repeating it is of no use, though the driver marks it like a lost connection. */
export const isRefused = (error: unknown): error is MongoServerError =>
  error instanceof MongoServerError && REFUSED_CODES.has(error.code);

function isPassing(error: unknown): boolean {
  if (isRefused(error)) return false;
  if (isErrno(error)) return true;
  if (
    error instanceof MongoNetworkError ||
    error instanceof MongoServerSelectionError ||
    error instanceof MongoNotConnectedError ||
    error instanceof MongoTopologyClosedError ||
    error instanceof MongoWriteConcernError
  ) {
    return true;
  }
  if (!(error instanceof MongoError)) return false;
  if (PASSING_LABELS.some((label) => error.hasErrorLabel(label))) return true;
  // A bulk write wraps what the driver met.
  if (
    error instanceof MongoServerError &&
    error.errorResponse instanceof Error &&
    error.errorResponse !== error
  ) {
    return isPassing(error.errorResponse);
  }
  if (isErrno(error.cause)) return true;
  // Pool errors are not exported as classes by every driver version; their names are stable.
  if (/^MongoPool|^MongoWaitQueueTimeout|^MongoClientClosed/.test(error.name)) return true;
  return typeof error.code === "number" && PASSING_CODES.has(error.code);
}

/** Runs one database operation; what means "not now" becomes StoreUnavailable, all else is thrown as it is. */
export async function guarded<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw isPassing(error) ? new StoreUnavailable(error) : error;
  }
}

/** The same for what is read piece by piece. */
export async function* guardedEach<T>(items: AsyncIterable<T>): AsyncGenerator<T, void> {
  try {
    yield* items;
  } catch (error) {
    throw isPassing(error) ? new StoreUnavailable(error) : error;
  }
}

/** MongoDB's duplicate key error. */
export const DUPLICATE_KEY = 11_000;
