import { type Client, createClient } from "../../src/cli/client.ts";
import { createKey } from "../../src/cli/keys.ts";
import { isFinal, SUBMISSION, type SubmissionView, SUBMIT, WATCH } from "../../src/cli/operations.ts";
import { openStore } from "../../src/server/store/store.ts";
import type { Stack } from "../../src/supervisor/stack.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Work } from "../chaos/programs.ts";

/** Somebody who submits. */
export interface Person {
  readonly client: Client;
  readonly token: string;
}

/** People with an API key each. */
export async function makePeople(stack: Stack, count: number): Promise<Person[]> {
  const store = await openStore({ url: stack.mongodbUrl, database: stack.database });
  try {
    const people: Person[] = [];
    for (let n = 1; n <= count; n++) {
      const now = new Date();
      const { key } = await createKey(store, { role: "participant", owner: `person-${n}`, now });
      people.push({ client: createClient({ url: stack.url, token: key }), token: key });
    }
    return people;
  } finally {
    await store.close();
  }
}

/** How a client hears of the verdict. */
export const WAYS = ["WebSocket", "event stream", "polling", "long polling"] as const;
export type Way = (typeof WAYS)[number];

/** Somebody says "not now": asked again after this, milliseconds, unless told when. */
const AGAIN_MS = 1_000;
const POLL_MS = 500;
const LONG_POLL_MS = 10_000;

const PASSING = new Set(["SERVICE_UNAVAILABLE", "RATE_LIMITED", "QUEUE_SATURATED", "TOO_MANY_UNFINISHED"]);

/** Hands a program in; `refused` hears of each time that it was put off. Throws when it is refused for good. */
export async function handIn(person: Person, work: Work, refused: () => void): Promise<string> {
  const input = {
    problem: work.problem,
    language: work.language,
    entryPoint: work.entryPoint ?? null,
    files: work.files,
  };
  for (;;) {
    const { submitSubmission: answer } = await person.client.request(SUBMIT, { input });
    if ("submission" in answer) return answer.submission.id;
    if (!PASSING.has(answer.code)) throw new Error(`refused: ${answer.code} ${answer.message}`);
    refused();
    await sleep(answer.retryAfterMs ?? AGAIN_MS);
  }
}

async function bySocket({ client }: Person, id: string): Promise<SubmissionView | undefined> {
  let last: SubmissionView | undefined;
  for await (const view of client.watch(id)) last = view;
  return last;
}

async function byStream({ client, token }: Person, id: string): Promise<SubmissionView | undefined> {
  const response = await fetch(`${client.url}/graphql`, {
    method: "POST",
    headers: {
      accept: "text/event-stream",
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ query: WATCH.query, variables: { id } }),
  });
  const text = await response.text();
  const updates = [...text.matchAll(/^data: ?(\{.*\})$/gm)].map(([, json = ""]) =>
    z.object({ data: WATCH.data }).parse(JSON.parse(json)),
  );
  return updates.at(-1)?.data.verdictUpdated;
}

async function byPolling({ client }: Person, id: string): Promise<SubmissionView | undefined> {
  for (;;) {
    const { submission } = await client.request(SUBMISSION, { id });
    if (submission === null) return undefined;
    if (isFinal(submission)) return submission;
    await sleep(POLL_MS);
  }
}

const Resource = z.object({ revision: z.int(), state: z.string() });

async function byLongPolling(person: Person, id: string): Promise<SubmissionView | undefined> {
  const { client, token } = person;
  for (let revision = 0; ;) {
    const response = await fetch(
      `${client.url}/submissions/${id}?afterRevision=${revision}&waitMs=${LONG_POLL_MS}`,
      { headers: { authorization: `Bearer ${token}` } },
    );
    const resource = Resource.parse(await response.json());
    if (["FINISHED", "FAILED", "CANCELLED"].includes(resource.state)) return await byPolling(person, id);
    revision = resource.revision;
  }
}

const HOW: Readonly<Record<Way, typeof bySocket>> = {
  WebSocket: bySocket,
  "event stream": byStream,
  polling: byPolling,
  "long polling": byLongPolling,
};

/** Resolves with the final state. Throws when it does not come. */
export async function hearOf(person: Person, id: string, way: Way): Promise<SubmissionView> {
  const view = await HOW[way](person, id);
  if (view === undefined || !isFinal(view)) {
    throw new Error(`${id} has no end by ${way}: ${view?.state ?? "nothing"}`);
  }
  return view;
}
