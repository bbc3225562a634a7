import { type GraphQLError, type GraphQLSchema, parse } from "graphql";
import { createYoga, type Plugin } from "graphql-yoga";
import type { Limits } from "../../shared/limits.ts";
import type { Log } from "../../shared/log.ts";
import type { Authentication } from "../auth.ts";
import { asCodedError } from "../coded.ts";
import type { Refused } from "../overflow.ts";
import type { Context } from "./context.ts";
import { codedGraphQLError, isGraphQLError } from "./errors.ts";

/** What the HTTP server and the WebSocket hand over with a request. */
export interface Caller {
  readonly authentication: Authentication;
  /** The Authorization it came with: looked at again while a subscription is open. */
  readonly authorization: string | undefined;
}

/**
 * Looks at the text before anything is paid for it. In front of Yoga's memory of documents, whose keys are the whole
 * texts: a thousand long ones would be gigabytes.
 */
const boundedParse = ({ queryCharacters, queryTokens }: Limits, refused: Refused): Plugin => ({
  onParse: ({ params, setParseFn }) => {
    if (params.source.toString().length > queryCharacters) {
      refused("queryCharacters");
      const message = `The document is longer than ${queryCharacters} characters (limit queryCharacters); send what varies as variables.`;
      throw codedGraphQLError({ code: "QUERY_TOO_COMPLEX", message });
    }
    setParseFn((source: string, options?: object) => {
      try {
        return parse(source, { ...options, maxTokens: queryTokens });
      } catch (error) {
        if (isGraphQLError(error) && TOO_MANY_TOKENS.test(error.message)) refused("queryTokens");
        throw error;
      }
    });
  },
});

/** As graphql says it, without a code. */
const TOO_MANY_TOKENS = /more that \d+ tokens/;

/** Counts queries and mutations that were too deep or cost too much: found out when they are executed, far from here. */
function countTooComplex(refused: Refused): Plugin {
  const look = (result: unknown): void => {
    if (typeof result !== "object" || result === null || !("errors" in result)) return;
    for (const error of Array.isArray(result.errors) ? result.errors : []) {
      const limit: unknown = isGraphQLError(error) ? error.extensions["limit"] : undefined;
      if (limit === "queryDepth" || limit === "queryComplexity") refused(limit);
    }
  };
  return {
    onExecute: () => ({ onExecuteDone: ({ result }) => look(result) }),
  };
}

const asReadable = (error: unknown): unknown =>
  error instanceof SyntaxError ||
  error instanceof TypeError ||
  // Yoga shows what its parser of bodies threw.
  (isGraphQLError(error) && "originalError" in error.extensions)
    ? codedGraphQLError({ code: "INPUT_INVALID", message: "The request's query, form or JSON is malformed." })
    : error;

/** Yoga parses variables of GET and forms, and the map of multipart requests, as if they were always right. */
const boundedRequest: Plugin = {
  onRequestParse: ({ requestParser, setRequestParser }) => {
    if (requestParser === undefined) return;
    setRequestParser(async (request) => {
      try {
        return await requestParser(request);
      } catch (error) {
        throw asReadable(error);
      }
    });
  },
};

/** Errors made to be read pass; our own faults are logged and answered without a detail. */
export function maskError(log: Log, error: unknown): GraphQLError {
  const original = isGraphQLError(error) ? error.originalError : error;
  if (isGraphQLError(error) && (original === undefined || isGraphQLError(original))) return error;
  const coded = asCodedError(original);
  if (coded === undefined) log.error({ err: original }, "a resolver failed");
  return codedGraphQLError(
    coded ?? { code: "INTERNAL_SERVER_ERROR", message: "Something went wrong on our side." },
  );
}

export interface YogaDeps {
  readonly schema: GraphQLSchema;
  readonly limits: Limits;
  readonly refused: Refused;
  readonly log: Log;
  readonly makeContext: (caller: Caller) => Context;
}

/**
 * GraphQL over HTTP: queries, mutations, subscriptions as server-sent events; with `uploads` multipart requests too.
 * Parsed and validated documents are remembered; the page in the browser is http/graphiql.ts.
 */
export function createGraphQL(deps: YogaDeps, input: { readonly uploads: boolean }) {
  const { schema, limits, refused, log } = deps;
  return createYoga<Caller, Context>({
    schema,
    context: ({ authentication, authorization }) => deps.makeContext({ authentication, authorization }),
    graphqlEndpoint: "/graphql",
    multipart: input.uploads,
    maxRequestBodySize: input.uploads ? limits.packageBytes + limits.requestBytes : limits.requestBytes,
    graphiql: false,
    landingPage: false,
    cors: false,
    batching: false,
    logging: false,
    maskedErrors: { maskError: (error) => maskError(log, error) },
    plugins: [boundedRequest, boundedParse(limits, refused), countTooComplex(refused)],
  });
}

export type GraphQLHandler = ReturnType<typeof createGraphQL>;
