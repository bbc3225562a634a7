import { createClient } from "graphql-ws";
import { z } from "zod";
import type { LimitName } from "../../../src/shared/limits.ts";

/** A caller of the test server over plain fetch. */

const Answer = z.object({
  data: z.record(z.string(), z.unknown()).nullish(),
  errors: z
    .array(z.object({ message: z.string(), extensions: z.record(z.string(), z.unknown()).optional() }))
    .optional(),
});

export const bearer = (key: string): { authorization: string } => ({ authorization: `Bearer ${key}` });

export async function graphql(
  url: string,
  key: string | undefined,
  query: string,
  variables: Record<string, unknown> = {},
) {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(key === undefined ? {} : bearer(key)) },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors = [] } = Answer.parse(await response.json());
  return {
    status: response.status,
    headers: response.headers,
    data: data ?? undefined,
    errors,
    codes: errors.map(({ extensions }) => extensions?.["code"]),
  };
}

const SUBMIT = `mutation ($input: SubmitSubmissionInput!) {
  submitSubmission(input: $input) {
    type: __typename
    ... on SubmitSubmissionSuccess { replayed submission { id revision state } }
    ... on UserError { code message }
    ... on ServiceUnavailable { retryAfterMs }
  }
}`;

const Submitted = z.object({
  type: z.string(),
  replayed: z.boolean().optional(),
  submission: z.object({ id: z.string(), revision: z.number(), state: z.string() }).optional(),
  code: z.string().optional(),
  message: z.string().optional(),
  retryAfterMs: z.number().nullish(),
});

export async function submit(url: string, key: string, input: Record<string, unknown>) {
  const answer = await graphql(url, key, SUBMIT, { input });
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.errors));
  return Submitted.parse(answer.data["submitSubmission"]);
}

/** Hands in a Python program and gives its id. */
export async function submitted(url: string, key: string, problem: string): Promise<string> {
  const answer = await submit(url, key, { problem, language: "python", source: "print(1)\n" });
  if (answer.submission === undefined) throw new Error(`${answer.code}: ${answer.message}`);
  return answer.submission.id;
}

export const WATCH = `subscription ($id: ID!, $after: Int) {
  verdictUpdated(submissionId: $id, afterRevision: $after) {
    id revision state verdict testsDone testsTotal tests { name verdict }
  }
}`;

export const Update = z.object({
  id: z.string(),
  revision: z.number(),
  state: z.string(),
  verdict: z.string().nullable(),
  testsDone: z.number(),
  testsTotal: z.number(),
  tests: z.array(z.object({ name: z.string(), verdict: z.string() })),
});
export type Update = z.infer<typeof Update>;

export const socketClient = (url: string, params: Record<string, unknown>) =>
  createClient({
    url: `${url.replace("http", "ws")}/graphql`,
    connectionParams: params,
    retryAttempts: 0,
    lazy: true,
  });

/** Updates of a submission over a WebSocket of its own, until the server completes. */
export async function* watchBySocket(url: string, key: string, id: string, after?: number) {
  const client = socketClient(url, { Authorization: `Bearer ${key}` });
  try {
    for await (const { data, errors } of client.iterate({
      query: WATCH,
      variables: { id, after },
    })) {
      if (errors !== undefined) throw new Error(JSON.stringify(errors));
      yield Update.parse(data?.["verdictUpdated"]);
    }
  } finally {
    await client.dispose();
  }
}

/** Updates of a submission as server-sent events, until the server completes. */
export async function* watchByStream(url: string, key: string, id: string, after?: number) {
  const response = await fetch(`${url}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json", accept: "text/event-stream", ...bearer(key) },
    body: JSON.stringify({ query: WATCH, variables: { id, after } }),
  });
  if (response.body === null) throw new Error("no body");
  let text = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const event = text.slice(0, end);
      text = text.slice(end + 2);
      if (event.startsWith("event: complete")) return;
      const data = /^data: (.+)$/m.exec(event)?.[1];
      if (data === undefined) continue;
      const { data: payload, errors } = Answer.parse(JSON.parse(data));
      if (errors !== undefined) throw new Error(JSON.stringify(errors));
      yield Update.parse(payload?.["verdictUpdated"]);
    }
  }
  throw new Error("the stream ended without completing");
}

/** How often a limit has turned somebody away, as /metrics tells. */
export async function refusals({ url }: { readonly url: string }, limit: LimitName): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^docket_refused_total\\{limit="${limit}"\\} (\\d+)`, "m").exec(text)?.[1] ?? 0);
}
