import { GraphQLError } from "graphql";
import { type CodedError, ERRORS } from "../../shared/errors.ts";

/** For mistakes that no result union can carry: whole requests, queries, subscriptions. Never masked. */
export function codedGraphQLError(error: CodedError): GraphQLError {
  const { code, message, retryAfterMs } = error;
  return new GraphQLError(message, {
    extensions: {
      code,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      http: {
        status: ERRORS[code].httpStatus,
        headers: retryAfterMs === undefined ? {} : { "Retry-After": String(Math.ceil(retryAfterMs / 1000)) },
      },
    },
  });
}

/** By name: a process can hold two copies of the graphql module (CommonJS and ESM), each with a class of its own. */
export const isGraphQLError = (error: unknown): error is GraphQLError =>
  error instanceof Error && error.name === "GraphQLError";
