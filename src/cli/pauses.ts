import { z } from "zod";
import type { Client } from "./client.ts";
import { operation } from "./operations.ts";
import { type Output, plain } from "./output.ts";
import { ApiRefusal } from "./trouble.ts";

const fields = (success: string): string =>
  `... on ${success} { pauses { queue reason by at } } ... on UserError { code message }`;
const PauseView = z.object({ queue: z.string(), reason: z.string(), by: z.string(), at: z.string() });
const Answer = z.union([
  z.object({ pauses: z.array(PauseView) }),
  z.object({ code: z.string(), message: z.string() }),
]);

const PAUSE = operation(
  `mutation ($input: PauseQueueInput!) { pauseQueue(input: $input) { ${fields("PauseQueueSuccess")} } }`,
  z.object({ pauseQueue: Answer }),
);
const RESUME = operation(
  `mutation ($input: ResumeQueueInput!) { resumeQueue(input: $input) { ${fields("ResumeQueueSuccess")} } }`,
  z.object({ resumeQueue: Answer }),
);

function show(out: Output, json: boolean, answer: z.infer<typeof Answer>): void {
  if ("code" in answer) throw new ApiRefusal(answer.code, answer.message);
  if (json) return out.json(answer.pauses);
  for (const { queue, reason, by, at } of answer.pauses)
    out.line(`${out.bold(queue)}  paused by ${plain(by)} at ${at}: ${plain(reason)}`);
  if (answer.pauses.length === 0) out.line("Nothing is paused.");
}

/** Throws ApiRefusal. */
export async function pauseQueue(
  client: Client,
  out: Output,
  given: { readonly queue: string; readonly reason: string; readonly json: boolean },
): Promise<void> {
  const { queue, reason } = given;
  show(out, given.json, (await client.request(PAUSE, { input: { queue, reason } })).pauseQueue);
}

/** Throws ApiRefusal. */
export async function resumeQueue(
  client: Client,
  out: Output,
  given: { readonly queue: string; readonly json: boolean },
): Promise<void> {
  show(out, given.json, (await client.request(RESUME, { input: { queue: given.queue } })).resumeQueue);
}
