import SchemaBuilder from "@pothos/core";
import ComplexityPlugin, { ComplexityErrorKind } from "@pothos/plugin-complexity";
import RelayPlugin from "@pothos/plugin-relay";
import ScopeAuthPlugin from "@pothos/plugin-scope-auth";
import WithInputPlugin from "@pothos/plugin-with-input";
import { SubmissionId } from "../../shared/ids.ts";
import { isJury } from "../auth.ts";
import type { Context } from "./context.ts";
import { codedGraphQLError } from "./errors.ts";

/**
 * The one builder that the files of this folder add their types to. It holds no state of a running server: what a
 * request needs comes with its context.
 */
export const builder = new SchemaBuilder<{
  Context: Context;
  AuthScopes: { authenticated: boolean; jury: boolean };
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    JSON: { Input: unknown; Output: unknown };
    File: { Input: File; Output: never };
  };
}>({
  plugins: [ScopeAuthPlugin, RelayPlugin, WithInputPlugin, ComplexityPlugin],
  defaultFieldNullability: false,
  scopeAuth: {
    authorizeOnSubscribe: true,
    authScopes: ({ viewer }) => ({
      authenticated: viewer !== undefined,
      jury: viewer !== undefined && isJury(viewer),
    }),
    unauthorizedError: (_parent, { viewer }) =>
      viewer === undefined
        ? codedGraphQLError({
            code: "UNAUTHENTICATED",
            message: "Send an API key: Authorization: Bearer <key>.",
          })
        : codedGraphQLError({ code: "FORBIDDEN", message: "This needs the role jury or admin." }),
  },
  relay: {
    cursorType: "String",
    // The size of the page is counted once, at the connection.
    edgesFieldOptions: { complexity: { field: 0, multiplier: 1 } },
    // One id everywhere: a submission's and a problem's GraphQL id is what REST, the command line and the logs call it.
    encodeGlobalID: (_type, id) => String(id),
    decodeGlobalID: (id) => ({ typename: SubmissionId.safeParse(id).success ? "Submission" : "Problem", id }),
    nodesQueryOptions: false,
    nodeQueryOptions: {
      authScopes: { authenticated: true },
      description: "A submission or problem by its id; null when there is none that you may see.",
    },
  },
  withInput: { argOptions: { required: true } },
  complexity: {
    defaultComplexity: 1,
    defaultListMultiplier: 5,
    limit: ({ limits }) => ({ depth: limits.queryDepth, complexity: limits.queryComplexity }),
    complexityError: (kind, result) =>
      codedGraphQLError({
        code: "QUERY_TOO_COMPLEX",
        limitName: kind === ComplexityErrorKind.Depth ? "queryDepth" : "queryComplexity",
        message:
          kind === ComplexityErrorKind.Depth
            ? `The document is ${result.depth} levels deep; the limit queryDepth is ${result.maxDepth}.`
            : `The document costs ${result.complexity}; the limit queryComplexity is ${result.maxComplexity}. Ask for smaller pages or fewer fields.`,
      }),
  },
});

builder.queryType({});
builder.mutationType({});
builder.subscriptionType({});
