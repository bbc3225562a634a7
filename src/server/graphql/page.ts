import type { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { codedGraphQLError } from "./errors.ts";

/** Connections go forward only: `first` (default 20) and `after`. */

const DEFAULT_PAGE_SIZE = 20;

type QueryFields = Parameters<Parameters<typeof builder.queryField>[1]>[0];

/** Of a field of any type. */
export const pageArgs = (t: Pick<QueryFields, "arg">) => ({
  first: t.arg.int({
    required: true,
    defaultValue: DEFAULT_PAGE_SIZE,
    description: "Size of the page, up to the limit pageSize.",
  }),
  after: t.arg.string({ description: "`pageInfo.endCursor` of the page before." }),
});

export const pageComplexity = ({ first }: { first?: number | null | undefined }) => ({
  field: 1,
  multiplier: Math.max(1, first ?? DEFAULT_PAGE_SIZE),
});

export interface PageArgs {
  readonly first: number;
  readonly after?: string | null | undefined;
}

/** Asks `read` for one row more than the page has, which tells whether there is a next one. */
export async function page<Row>(
  { limits }: Pick<Context, "limits">,
  { first, after }: PageArgs,
  cursorOf: (row: Row) => string,
  read: (first: number, after: string | undefined) => Promise<readonly Row[]>,
) {
  if (first < 1 || first > limits.pageSize) {
    throw codedGraphQLError({
      code: "INPUT_INVALID",
      message: `first is ${first}; it must be from 1 to ${limits.pageSize}.`,
    });
  }
  const rows = await read(first + 1, after ?? undefined);
  const edges = rows.slice(0, first).map((node) => ({ cursor: cursorOf(node), node }));
  return {
    edges,
    pageInfo: {
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
      hasPreviousPage: after !== undefined && after !== null,
      hasNextPage: rows.length > first,
    },
  };
}
