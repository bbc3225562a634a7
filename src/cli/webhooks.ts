import { z } from "zod";
import type { Client } from "./client.ts";
import { ask, mutation } from "./mutation.ts";
import { operation } from "./operations.ts";
import { type Output, plain } from "./output.ts";
import { CliTrouble } from "./trouble.ts";

const FIELDS = "id owner url events scope problem { id } description enabled disabledReason createdAt";
const WebhookView = z.object({
  id: z.string(),
  owner: z.string(),
  url: z.string(),
  events: z.array(z.string()),
  scope: z.string(),
  problem: z.object({ id: z.string() }).nullable(),
  description: z.string(),
  enabled: z.boolean(),
  disabledReason: z.string().nullable(),
  createdAt: z.string(),
});
type WebhookView = z.infer<typeof WebhookView>;

const DeliveryView = z.object({
  id: z.string(),
  event: z.string(),
  tries: z.int(),
  doneAt: z.string().nullable(),
  attempts: z.array(z.object({ status: z.int().nullable(), error: z.string().nullable() })),
});

const Page = z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() });

const LIST = operation(
  `query ($after: String) { webhooks(first: 100, after: $after) {
    edges { node { ${FIELDS} } } pageInfo { hasNextPage endCursor } } }`,
  z.object({ webhooks: z.object({ edges: z.array(z.object({ node: WebhookView })), pageInfo: Page }) }),
);
const DEAD = operation(
  `query ($id: ID!, $after: String) { webhook(id: $id) { deliveries(state: DEAD, first: 100, after: $after) {
    edges { node { id event tries doneAt attempts { status error } } } pageInfo { hasNextPage endCursor } } } }`,
  z.object({
    webhook: z
      .object({
        deliveries: z.object({ edges: z.array(z.object({ node: DeliveryView })), pageInfo: Page }),
      })
      .nullable(),
  }),
);
const Kept = z.object({ webhook: WebhookView, secret: z.string().nullable() });
const CREATE = mutation("createWebhook", `secret webhook { ${FIELDS} }`, Kept);
const DELETE = mutation("deleteWebhook", "id", z.object({ id: z.string() }));
const TEST = mutation("testWebhook", "delivery", z.object({ delivery: z.string() }));
const REPLAY = mutation("replayWebhookDeliveries", "replayed", z.object({ replayed: z.int() }));

/** SUBMISSION_FINISHED as it is called in the notice: submission.finished. */
const eventName = (event: string): string => event.toLowerCase().replace("_", ".");

function webhookLine(out: Output, one: WebhookView): string {
  const of = one.problem === null ? "" : ` of ${one.problem.id}`;
  const off = one.enabled
    ? ""
    : out.warn(`, off${one.disabledReason === null ? "" : `: ${one.disabledReason}`}`);
  const about = one.description === "" ? "" : `  ${plain(one.description)}`;
  const events = one.events.map(eventName).join(" ");
  return `${out.bold(one.id)}  ${plain(one.url)}  ${events}${of}, ${one.scope === "ALL" ? "everybody's" : `${plain(one.owner)}'s`}${off}${about}`;
}

export interface AddOptions {
  readonly event: readonly string[];
  readonly all?: true;
  readonly problem?: string;
  readonly description?: string;
}

/** Prints the signing secret, which nobody is shown again. Throws ApiRefusal. */
export async function addWebhook(
  client: Client,
  out: Output,
  given: { readonly url: string; readonly options: AddOptions; readonly json: boolean },
): Promise<void> {
  const { url, options, json } = given;
  const kept = await ask(client, CREATE, {
    url,
    events: options.event.map((event) => event.toUpperCase().replace(".", "_")),
    scope: options.all === true ? "ALL" : "OWN",
    ...(options.problem === undefined ? {} : { problem: options.problem }),
    ...(options.description === undefined ? {} : { description: options.description }),
  });
  if (json) return out.json(kept);
  out.line(webhookLine(out, kept.webhook));
  out.line(`secret, shown this once: ${kept.secret ?? ""}`);
}

export async function listWebhooks(client: Client, out: Output, json: boolean): Promise<void> {
  const all: WebhookView[] = [];
  let after: string | null = null;
  do {
    const { webhooks: page }: z.infer<(typeof LIST)["data"]> = await client.request(LIST, { after });
    all.push(...page.edges.map(({ node }) => node));
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
  if (json) return out.json(all);
  for (const one of all) out.line(webhookLine(out, one));
  if (all.length === 0) out.line("There are no webhooks: docket webhooks add --help");
}

/** Throws ApiRefusal. */
export async function removeWebhooks(client: Client, out: Output, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await ask(client, DELETE, { id });
    out.line(`${out.good("removed")}  ${id}`);
  }
}

/** Throws ApiRefusal. */
export async function testWebhook(client: Client, out: Output, id: string): Promise<void> {
  const { delivery } = await ask(client, TEST, { id });
  out.line(`${out.good("sent")}  ${delivery}`);
}

/** Deliveries that were given up. Throws CliTrouble. */
export async function listDead(
  client: Client,
  out: Output,
  { id, json }: { readonly id: string; readonly json: boolean },
): Promise<void> {
  const all: z.infer<typeof DeliveryView>[] = [];
  let after: string | null = null;
  do {
    const answer: z.infer<(typeof DEAD)["data"]> = await client.request(DEAD, { id, after });
    if (answer.webhook === null) throw new CliTrouble(`There is no webhook ${id} that you may see.`);
    const { edges, pageInfo } = answer.webhook.deliveries;
    all.push(...edges.map(({ node }) => node));
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null);
  if (json) return out.json(all);
  for (const { id: delivery, event, tries, doneAt, attempts } of all) {
    const last = attempts.at(-1);
    const why = last?.error ?? (typeof last?.status === "number" ? `status ${last.status}` : "");
    out.line(
      `${delivery}  ${eventName(event)}  given up ${doneAt ?? ""} after ${tries} tries: ${plain(why)}`,
    );
  }
  if (all.length === 0) out.line("No delivery was given up.");
}

/** Sends them again; without ids all that were given up. Throws ApiRefusal. */
export async function replay(
  client: Client,
  out: Output,
  given: { readonly id: string; readonly deliveries: readonly string[]; readonly since?: string | undefined },
): Promise<void> {
  const { id, deliveries, since } = given;
  const { replayed } = await ask(client, REPLAY, {
    webhook: id,
    ...(deliveries.length > 0 ? { ids: deliveries } : { state: "DEAD" }),
    ...(since === undefined ? {} : { since }),
  });
  out.line(`${out.good("replayed")}  ${replayed}`);
}
