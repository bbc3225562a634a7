import { type ExecutionArgs, getOperationAST, type GraphQLError, type OperationTypeNode } from "graphql";
import type { OperationResult } from "graphql-ws";
import { codedGraphQLError, isGraphQLError } from "./errors.ts";
import type { Caller, GraphQLHandler } from "./yoga.ts";

/** One operation as a client sends it. */
export interface OperationParams {
  readonly query: string;
  readonly operationName?: string | null | undefined;
  readonly variables?: Record<string, unknown> | null | undefined;
}

export type Prepared =
  | {
      readonly args: ExecutionArgs;
      readonly type: OperationTypeNode;
      execute(args: ExecutionArgs): OperationResult;
      subscribe(args: ExecutionArgs): OperationResult;
    }
  | { readonly errors: readonly GraphQLError[] };

/**
 * Parses and validates by Yoga's own functions, with its memory of documents, its limits and its masking, for callers
 * that do not come through its HTTP handler.
 */
export async function prepareOperation(
  graphql: GraphQLHandler,
  caller: Caller,
  params: OperationParams,
): Promise<Prepared> {
  const { schema, parse, validate, contextFactory, execute, subscribe } = graphql.getEnveloped({
    ...caller,
    params,
  });
  try {
    const document = parse(params.query);
    const errors = validate(schema, document);
    if (errors.length > 0) return { errors };
    const operation = getOperationAST(document, params.operationName);
    if (!operation) {
      const message = "There is no operation of this name, or several and none is named by operationName.";
      return { errors: [codedGraphQLError({ code: "INPUT_INVALID", message })] };
    }
    const args: ExecutionArgs = {
      schema,
      document,
      operationName: params.operationName ?? null,
      variableValues: params.variables ?? null,
      contextValue: await contextFactory(),
    };
    return { args, type: operation.operation, execute, subscribe };
  } catch (error) {
    if (isGraphQLError(error)) return { errors: [error] };
    throw error;
  }
}
