import type { CodedError } from "../shared/errors.ts";
import { StoreUnavailable } from "./store/unavailable.ts";

/** How long a caller is asked to wait when the database does not answer, milliseconds. */
const RETRY_AFTER_MS = 2_000;

/** The coded answer to a thrown error that callers can do something about; undefined for our own faults. */
export function asCodedError(error: unknown): CodedError | undefined {
  if (error instanceof StoreUnavailable) {
    return {
      code: "SERVICE_UNAVAILABLE",
      message: "The database cannot be reached right now. Try again.",
      retryAfterMs: RETRY_AFTER_MS,
    };
  }
  return undefined;
}

/** The result of `act`, or the coded answer to what it threw. Our own faults are thrown on. */
export async function orCoded<T>(act: () => Promise<T>): Promise<T | CodedError> {
  try {
    return await act();
  } catch (error) {
    const coded = asCodedError(error);
    if (coded === undefined) throw error;
    return coded;
  }
}
