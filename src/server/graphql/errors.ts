import { type FormattedExecutionResult, GraphQLError, type GraphQLFormattedError } from "graphql";
import { type CodedError, ERRORS } from "../../shared/errors.ts";
import type { LimitName } from "../../shared/limits.ts";

/** How an error shows in HTTP; a part of its `extensions` that stays on the server. */
interface HttpHint {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** For mistakes that no result union can carry: whole requests, queries, subscriptions. Never masked. */
export function codedGraphQLError(error: CodedError & { readonly limitName?: LimitName }): GraphQLError {
  const { code, message, retryAfterMs, limitName } = error;
  const http: HttpHint = {
    status: ERRORS[code].httpStatus,
    headers: retryAfterMs === undefined ? {} : { "Retry-After": String(Math.ceil(retryAfterMs / 1000)) },
  };
  return new GraphQLError(message, {
    extensions: {
      code,
      ...(limitName === undefined ? {} : { limit: limitName }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      http: { ...http },
    },
  });
}

/** Undefined for those of graphql and Yoga (`spec`), which change the status of no `application/json` answer. */
export function httpOf(error: GraphQLError): HttpHint | undefined {
  const http = error.extensions["http"];
  if (typeof http !== "object" || http === null || !("status" in http) || "spec" in http) return undefined;
  return http as HttpHint;
}

/** By name: a process can hold two copies of the graphql module (CommonJS and ESM), each with a class of its own. */
export const isGraphQLError = (error: unknown): error is GraphQLError =>
  error instanceof Error && error.name === "GraphQLError";

function formatError(error: GraphQLError): GraphQLFormattedError {
  const { http: _http, ...extensions } = error.extensions;
  return { ...error.toJSON(), extensions };
}

/** Errors as clients see them. */
export const formatErrors = (errors: readonly GraphQLError[]): GraphQLFormattedError[] =>
  errors.map(formatError);

/** A result as clients see it. */
export function formatResult(result: {
  readonly data?: Record<string, unknown> | null | undefined;
  readonly errors?: readonly GraphQLError[] | undefined;
}): FormattedExecutionResult {
  return {
    ...(result.errors === undefined ? {} : { errors: formatErrors(result.errors) }),
    ...(result.data === undefined ? {} : { data: result.data }),
  };
}
