import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { type Client } from "../src/cli/client.ts";
import { operation } from "../src/cli/operations.ts";
import { fresh, SUM } from "./sum.ts";

/** People who hand in the benchmarks' program, and what they saw of it. */

const SUBMIT = operation(
  `mutation ($input: SubmitSubmissionInput!) { submitSubmission(input: $input) {
    ... on SubmitSubmissionSuccess { submission { id } } ... on UserError { code message } } }`,
  z.object({
    submitSubmission: z.union([
      z.object({ submission: z.object({ id: z.string() }) }),
      z.object({ code: z.string(), message: z.string() }),
    ]),
  }),
);

const TIMES = operation(
  `query ($id: ID!) { submission(id: $id) { state createdAt startedAt finishedAt estimatedWaitMs } }`,
  z.object({
    submission: z.object({
      state: z.string(),
      createdAt: z.iso.datetime(),
      startedAt: z.iso.datetime().nullable(),
      finishedAt: z.iso.datetime().nullable(),
      estimatedWaitMs: z.int().nullable(),
    }),
  }),
);

const CANCEL = operation(
  `mutation ($id: ID!) { cancelSubmission(input: { id: $id }) { type: __typename } }`,
  z.object({ cancelSubmission: z.object({ type: z.string() }) }),
);

let count = 0;

/** Hands in another right program. Throws when it is refused. */
export async function handInOne(
  client: Client,
  more: { readonly language?: Parameters<typeof fresh>[0]; readonly contest?: string } = {},
): Promise<string> {
  const { language = "python", contest } = more;
  const source = fresh(language, `${process.pid} ${++count}`);
  const input = { problem: SUM, language, source, ...(contest === undefined ? {} : { contest }) };
  const { submitSubmission: answer } = await client.request(SUBMIT, { input });
  if ("submission" in answer) return answer.submission.id;
  throw new Error(`not accepted: ${answer.code} ${answer.message}`);
}

/** Runs `one` for each item, `atOnce` at a time. */
export async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  one: (item: T) => Promise<unknown>,
): Promise<void> {
  const rest = items.values();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (const item of rest) await one(item);
    }),
  );
}

export async function handInMany(client: Client, many: number): Promise<string[]> {
  const ids: string[] = [];
  await inParallel(Array.from({ length: many }), 32, async () => ids.push(await handInOne(client)));
  return ids;
}

export const cancelAll = (client: Client, ids: readonly string[]): Promise<void> =>
  inParallel(ids, 32, (id) => client.request(CANCEL, { id }));

export async function isDone(client: Client, id: string): Promise<boolean> {
  return (await client.request(TIMES, { id })).submission.finishedAt !== null;
}

/** What it is told now of when it starts, and how far that was off in the end. */
export interface Guess {
  readonly id: string;
  /** When it should start, milliseconds since 1970. */
  readonly startsAtMs: number;
  readonly waitMs: number;
}

/** Undefined when it waits no more, or nobody can tell. */
export async function guessOf(client: Client, id: string): Promise<Guess | undefined> {
  const { estimatedWaitMs: waitMs } = (await client.request(TIMES, { id })).submission;
  return waitMs === null ? undefined : { id, startsAtMs: Date.now() + waitMs, waitMs };
}

export interface Times {
  readonly waitMs: number;
  readonly serviceMs: number;
  readonly startedAtMs: number;
}

/** Waits for its end. Throws when it has none in time, or a bad one. */
export async function timesOf(client: Client, id: string, withinMs = 120_000): Promise<Times> {
  for (const until = performance.now() + withinMs; performance.now() < until; await sleep(100)) {
    const { submission } = await client.request(TIMES, { id });
    const { state, createdAt, startedAt, finishedAt } = submission;
    if (state === "FINISHED" && startedAt !== null && finishedAt !== null) {
      const [created, started, finished] = [createdAt, startedAt, finishedAt].map((at) => Date.parse(at));
      return {
        waitMs: (started ?? 0) - (created ?? 0),
        serviceMs: (finished ?? 0) - (started ?? 0),
        startedAtMs: started ?? 0,
      };
    }
    if (state === "FAILED" || state === "CANCELLED") throw new Error(`${id} ended ${state}`);
  }
  throw new Error(`${id} has no verdict after ${withinMs} ms`);
}
