import { z } from "zod";

/** The public API as the demonstration uses it: plain HTTP and server-sent events, like any client. */
export interface ApiAccess {
  /** http://127.0.0.1:4000 */
  readonly url: string;
  readonly token: string;
}

/** The API answered with an error; the message is the API's own. */
export class ApiError extends Error {}

const Answer = z.object({
  data: z.unknown(),
  errors: z.array(z.object({ message: z.string() })).optional(),
});

const headersOf = (access: ApiAccess): Record<string, string> => ({
  authorization: `Bearer ${access.token}`,
  // Yoga's CSRF guard wants it on multipart requests; harmless elsewhere.
  "x-graphql-yoga-csrf": "docket",
});

function dataOf(text: string): unknown {
  const { data, errors } = Answer.parse(JSON.parse(text));
  if (errors !== undefined) throw new ApiError(errors.map((error) => error.message).join("; "));
  return data;
}

/** Runs a query or mutation; its data parsed with `schema`. Throws ApiError. */
export async function ask<Schema extends z.ZodType>(
  access: ApiAccess,
  schema: Schema,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<z.infer<Schema>> {
  const response = await fetch(`${access.url}/graphql`, {
    method: "POST",
    headers: { ...headersOf(access), "content-type": "application/json", accept: "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  return schema.parse(dataOf(await response.text()));
}

/** Runs a mutation whose variable `input.archive` is a file (GraphQL multipart request specification). */
export async function upload<Schema extends z.ZodType>(
  access: ApiAccess,
  schema: Schema,
  query: string,
  archive: { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> },
): Promise<z.infer<Schema>> {
  const form = new FormData();
  const variables = { input: { archive: null, archiveName: archive.name } };
  form.set("operations", JSON.stringify({ query, variables }));
  form.set("map", JSON.stringify({ 0: ["variables.input.archive"] }));
  form.set("0", new Blob([archive.bytes]), archive.name);
  const response = await fetch(`${access.url}/graphql`, {
    method: "POST",
    headers: { ...headersOf(access), accept: "application/json" },
    body: form,
  });
  return schema.parse(dataOf(await response.text()));
}

/** Follows a subscription over server-sent events until the server completes it. Throws ApiError. */
export async function* follow<Schema extends z.ZodType>(
  access: ApiAccess,
  schema: Schema,
  query: string,
  variables: Record<string, unknown>,
): AsyncGenerator<z.infer<Schema>> {
  const response = await fetch(`${access.url}/graphql`, {
    method: "POST",
    headers: { ...headersOf(access), "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify({ query, variables }),
  });
  if (response.body === null || !response.ok) {
    throw new ApiError(`the subscription was refused (HTTP ${response.status})`);
  }
  let rest = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const events = (rest + chunk).split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) {
      if (/^event: ?complete$/m.test(event)) return;
      const data = /^data: ?(.+)$/m.exec(event)?.[1];
      if (data !== undefined) yield schema.parse(dataOf(data));
    }
  }
  throw new ApiError("the subscription broke off");
}
