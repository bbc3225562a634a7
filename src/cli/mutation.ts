import { z } from "zod";
import { operation, type Operation } from "./operations.ts";
import type { Client } from "./client.ts";
import { ApiRefusal } from "./trouble.ts";

const Refused = z.object({ code: z.string(), message: z.string() });

type Answer<Data> = { readonly answer: Data | z.infer<typeof Refused> };

/** A mutation of one input whose success has these fields. */
export function mutation<Data>(
  name: string,
  fields: string,
  success: z.ZodType<Data>,
): Operation<Answer<Data>> {
  const type = `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
  return operation(
    `mutation ($input: ${type}Input!) { answer: ${name}(input: $input) {
      ... on ${type}Success { ${fields} } ... on UserError { code message } } }`,
    z.object({ answer: z.union([Refused, success]) }),
  );
}

/** Throws ApiRefusal for a refusal in words. */
export async function ask<Data extends object>(
  client: Client,
  wanted: Operation<Answer<Data>>,
  input: object,
): Promise<Data> {
  const { answer } = await client.request(wanted, { input });
  if ("code" in answer && "message" in answer) throw new ApiRefusal(answer.code, answer.message);
  return answer;
}
