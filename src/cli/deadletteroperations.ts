import { z } from "zod";
import { operation, Refusal } from "./operations.ts";

/** What the command line asks about dead letters, rejected messages and executors taken out. */

const DeadLetterView = z.object({
  code: z.string(),
  reason: z.string(),
  at: z.string(),
  generation: z.int(),
  tries: z.array(
    z.object({
      executor: z.string(),
      startedAt: z.string(),
      endedAt: z.string().nullable(),
      end: z.string().nullable(),
      faultCode: z.string().nullable(),
      message: z.string().nullable(),
      log: z.string().nullable(),
    }),
  ),
  discarded: z.object({ by: z.string(), reason: z.string(), at: z.string() }).nullable(),
  submission: z.object({
    id: z.string(),
    owner: z.string(),
    problem: z.object({ id: z.string(), name: z.string() }).nullable(),
    language: z.object({ id: z.string(), name: z.string() }),
  }),
});
export type DeadLetterView = z.infer<typeof DeadLetterView>;

const DeadLetterPage = z.object({
  edges: z.array(z.object({ node: DeadLetterView })),
  pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
});
export type DeadLetterPage = z.infer<typeof DeadLetterPage>;

export const DEAD_LETTERS = operation(
  `query DeadLetters($filter: DeadLetterFilter, $discarded: Boolean!, $first: Int!, $after: String) {
    deadLetters(filter: $filter, discarded: $discarded, first: $first, after: $after) {
      edges { node {
        code reason at generation
        tries { executor startedAt endedAt end faultCode message log }
        discarded { by reason at }
        submission { id owner problem { id name } language { id name } }
      } }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({ deadLetters: DeadLetterPage }),
);

export const REDRIVE = operation(
  `mutation Redrive($input: RedriveDeadLetterInput!) {
    redriveDeadLetter(input: $input) {
      ... on RedriveDeadLetterSuccess { submission { id judgement { generation } } }
      ... on UserError { code message }
    }
  }`,
  z.object({
    redriveDeadLetter: z.union([
      z.object({
        submission: z.object({ id: z.string(), judgement: z.object({ generation: z.int() }) }),
      }),
      Refusal,
    ]),
  }),
);

export const REDRIVE_MANY = operation(
  `mutation RedriveMany($input: RedriveDeadLettersInput!) {
    redriveDeadLetters(input: $input) {
      ... on RedriveDeadLettersSuccess { redriven more }
      ... on UserError { code message }
    }
  }`,
  z.object({
    redriveDeadLetters: z.union([z.object({ redriven: z.int(), more: z.boolean() }), Refusal]),
  }),
);

export const DISCARD = operation(
  `mutation Discard($input: DiscardDeadLetterInput!) {
    discardDeadLetter(input: $input) {
      ... on DiscardDeadLetterSuccess { submission { id } }
      ... on UserError { code message }
    }
  }`,
  z.object({
    discardDeadLetter: z.union([z.object({ submission: z.object({ id: z.string() }) }), Refusal]),
  }),
);

export const REJECTED = operation(
  `query Rejected { rejectedMessages(first: 50) { at source reason place why excerpt } }`,
  z.object({
    rejectedMessages: z.array(
      z.object({
        at: z.string(),
        source: z.string(),
        reason: z.string(),
        place: z.string(),
        why: z.string(),
        excerpt: z.string(),
      }),
    ),
  }),
);

export const REINSTATE = operation(
  `mutation Reinstate($input: ReinstateExecutorInput!) {
    reinstateExecutor(input: $input) {
      ... on ReinstateExecutorSuccess { executor { name state languages { id } notOffered { id reason } } }
      ... on UserError { code message }
    }
  }`,
  z.object({
    reinstateExecutor: z.union([
      z.object({
        executor: z.object({
          name: z.string(),
          state: z.string(),
          languages: z.array(z.object({ id: z.string() })),
          notOffered: z.array(z.object({ id: z.string(), reason: z.string() })),
        }),
      }),
      Refusal,
    ]),
  }),
);
