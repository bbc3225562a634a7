import { z } from "zod";
import { operation, Refusal } from "./operations.ts";

/** What the command line asks about rejudges, and cancelling. */

const RejudgeView = z.object({
  id: z.string(),
  state: z.string(),
  by: z.string(),
  reason: z.string(),
  createdAt: z.string(),
  selected: z.int(),
  skipped: z.object({ unfinished: z.int(), cancelled: z.int(), busy: z.int() }),
  progress: z.object({
    pending: z.int(),
    queued: z.int(),
    running: z.int(),
    finished: z.int(),
    failed: z.int(),
    cancelled: z.int(),
  }),
  changes: z.array(z.object({ from: z.string(), to: z.string(), count: z.int() })),
  applied: z
    .object({
      by: z.string(),
      moved: z.int().nullable(),
      superseded: z.int().nullable(),
      kept: z.int().nullable(),
    })
    .nullable(),
});
export type RejudgeView = z.infer<typeof RejudgeView>;

const fields = `
  id state by reason createdAt selected skipped { unfinished cancelled busy }
  progress { pending queued running finished failed cancelled }
  changes { from to count } applied { by moved superseded kept }`;

const mutation = (name: string, type: string) =>
  operation(
    `mutation ${type}($input: ${type}Input!) {
      answer: ${name}(input: $input) {
        ... on ${type}Success { rejudge { ${fields} } }
        ... on UserError { code message }
      }
    }`,
    z.object({ answer: z.union([z.object({ rejudge: RejudgeView }), Refusal]) }),
  );

export const CREATE_REJUDGE = mutation("createRejudge", "CreateRejudge");
export const APPLY_REJUDGE = mutation("applyRejudge", "ApplyRejudge");
export const CANCEL_REJUDGE = mutation("cancelRejudge", "CancelRejudge");

export const REJUDGE = operation(
  `query Rejudge($id: ID!) { rejudge(id: $id) { ${fields} } }`,
  z.object({ rejudge: RejudgeView.nullable() }),
);

export const REJUDGES = operation(
  `query Rejudges($first: Int!) { rejudges(first: $first) { edges { node { ${fields} } } } }`,
  z.object({ rejudges: z.object({ edges: z.array(z.object({ node: RejudgeView })) }) }),
);

const ItemView = z.object({
  submission: z.object({ id: z.string(), owner: z.string(), language: z.object({ id: z.string() }) }),
  from: z.object({ state: z.string(), verdict: z.string().nullable() }),
  to: z.object({ state: z.string(), verdict: z.string().nullable() }),
});
export type ItemView = z.infer<typeof ItemView>;

const ItemPage = z.object({
  edges: z.array(z.object({ node: ItemView })),
  pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
});
export type ItemPage = z.infer<typeof ItemPage>;

export const REJUDGE_ITEMS = operation(
  `query RejudgeItems($id: ID!, $after: String, $changedOnly: Boolean!) {
    rejudge(id: $id) { items(first: 50, after: $after, changedOnly: $changedOnly) {
      edges { node { submission { id owner language { id } } from { state verdict } to { state verdict } } }
      pageInfo { hasNextPage endCursor }
    } }
  }`,
  z.object({ rejudge: z.object({ items: ItemPage }).nullable() }),
);

export const CANCEL_SUBMISSION = operation(
  `mutation Cancel($input: CancelSubmissionInput!) {
    answer: cancelSubmission(input: $input) {
      ... on CancelSubmissionSuccess { submission { id state } }
      ... on UserError { code message }
    }
  }`,
  z.object({
    answer: z.union([z.object({ submission: z.object({ id: z.string(), state: z.string() }) }), Refusal]),
  }),
);
