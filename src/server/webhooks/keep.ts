import type { Clock } from "../../shared/clock.ts";
import type { CodedError } from "../../shared/errors.ts";
import { newWebhookId, type ProblemId, type WebhookId } from "../../shared/ids.ts";
import type { Limits } from "../../shared/limits.ts";
import type { Log } from "../../shared/log.ts";
import { isIP } from "node:net";
import type { Store } from "../store/store.ts";
import type { WebhookDocument, WebhookEvent } from "../store/webhooks.ts";
import type { Addresses } from "./address.ts";
import { makeSecret } from "./signature.ts";

export interface KeepDeps {
  readonly store: Pick<Store, "webhooks" | "deliveries">;
  readonly limits: Pick<Limits, "webhooksPerOwner">;
  readonly clock: Clock;
  readonly log: Log;
  readonly addresses: Addresses;
  readonly capabilitySecret: string;
  readonly wake: () => void;
}

export interface CreateWebhookInput {
  readonly owner: string;
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  readonly scope: WebhookDocument["scope"];
  readonly problem?: ProblemId | undefined;
  readonly description: string;
}

export interface UpdateWebhookInput {
  readonly id: WebhookId;
  readonly url?: string | undefined;
  readonly events?: readonly WebhookEvent[] | undefined;
  readonly description?: string | undefined;
  readonly enabled?: boolean | undefined;
  readonly rotateSecret?: boolean | undefined;
}

export type Kept = { readonly webhook: WebhookDocument; readonly secret?: string } | CodedError;

const URL_CHARACTERS = 2_048;
const DESCRIPTION_CHARACTERS = 200;
/** A secret that was rotated signs beside the new one for so long, milliseconds. */
export const OLD_SECRET_MS = 24 * 3_600_000;

const invalid = (message: string): CodedError => ({ code: "INPUT_INVALID", message });

/** What can be told of an address without looking its name up; that is checked at each connect. */
function wrongUrl({ addresses }: Pick<KeepDeps, "addresses">, text: string): string | undefined {
  const url = text.length <= URL_CHARACTERS ? URL.parse(text) : null;
  if (url === null) return `url: expected an https address of at most ${URL_CHARACTERS} characters.`;
  if (url.username !== "" || url.password !== "") return "url: no user name or password may be in it.";
  if (url.protocol !== "https:" && !(url.protocol === "http:" && addresses.anyNamed)) {
    return "url: expected https. Plain http goes to addresses named in DOCKET_WEBHOOK_ALLOW only.";
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(host) !== 0 && !addresses.isOpen(host)) {
    return `url: ${host} is a private, loopback or reserved address; DOCKET_WEBHOOK_ALLOW can allow it.`;
  }
  return undefined;
}

function wrongWords(input: { events?: readonly unknown[] | undefined; description?: string | undefined }) {
  if (input.events?.length === 0) return "events: name at least one.";
  if ((input.description ?? "").length > DESCRIPTION_CHARACTERS) {
    return `description: expected at most ${DESCRIPTION_CHARACTERS} characters.`;
  }
  return undefined;
}

/** Whether the caller may is checked before. Throws StoreUnavailable. */
export async function createWebhook(deps: KeepDeps, input: CreateWebhookInput): Promise<Kept> {
  const wrong = wrongUrl(deps, input.url) ?? wrongWords(input);
  if (wrong !== undefined) return invalid(wrong);
  const most = deps.limits.webhooksPerOwner;
  if ((await deps.store.webhooks.countOf(input.owner)) >= most) {
    return invalid(`There are ${most} webhooks of yours (limit webhooksPerOwner): delete one first.`);
  }
  const now = deps.clock.now();
  const _id = newWebhookId(now);
  const { secret, key } = makeSecret(deps.capabilitySecret, _id);
  const { problem, ...rest } = input;
  const webhook: WebhookDocument = {
    _id,
    ...rest,
    events: [...new Set(input.events)],
    ...(problem === undefined ? {} : { problem }),
    enabled: true,
    keys: [key],
    createdAt: new Date(now),
  };
  await deps.store.webhooks.insert(webhook);
  deps.log.info({ webhook: _id, owner: input.owner, url: input.url, scope: input.scope }, "webhook created");
  deps.wake();
  return { webhook, secret };
}

const notFound = (id: string): CodedError => ({
  code: "WEBHOOK_NOT_FOUND",
  message: `There is no webhook ${id} of yours.`,
});

export async function updateWebhook(deps: KeepDeps, input: UpdateWebhookInput): Promise<Kept> {
  const { id, url, events, description, enabled, rotateSecret = false } = input;
  const wrong = (url === undefined ? undefined : wrongUrl(deps, url)) ?? wrongWords(input);
  if (wrong !== undefined) return invalid(wrong);
  const before = await deps.store.webhooks.get(id);
  if (before === undefined) return notFound(id);
  const made = rotateSecret ? makeSecret(deps.capabilitySecret, id) : undefined;
  const until = new Date(deps.clock.now() + OLD_SECRET_MS);
  const [newest] = before.keys;
  // The newest before this one goes on signing for a while; older ones end.
  const keys = made === undefined ? before.keys : [made.key, ...(newest ? [{ ...newest, until }] : [])];
  const webhook = await deps.store.webhooks.update(id, {
    keys,
    enabled: enabled ?? before.enabled,
    ...(enabled === undefined && before.disabledReason !== undefined
      ? { disabledReason: before.disabledReason }
      : {}),
    ...(url === undefined ? {} : { url }),
    ...(events === undefined ? {} : { events: [...new Set(events)] }),
    ...(description === undefined ? {} : { description }),
  });
  if (webhook === undefined) return notFound(id);
  deps.log.info({ webhook: id, url, enabled, rotateSecret }, "webhook changed");
  deps.wake();
  return { webhook, ...(made === undefined ? {} : { secret: made.secret }) };
}

/** With all that waits for it and its history. False when it has gone. */
export async function deleteWebhook(deps: KeepDeps, id: WebhookId): Promise<boolean> {
  const removed = await deps.store.webhooks.remove(id);
  await deps.store.deliveries.removeOf(id);
  if (removed) deps.log.info({ webhook: id }, "webhook deleted");
  return removed;
}

/** Sends an event that tells of nothing; its delivery's id. */
export async function testWebhook(deps: KeepDeps, id: WebhookId): Promise<string> {
  const now = deps.clock.now();
  const delivery = `${id}.test.${now}`;
  await deps.store.deliveries.insert([
    {
      _id: delivery,
      webhook: id,
      event: "webhook.test",
      state: "WAITING",
      tries: 0,
      nextAt: new Date(now),
      attempts: [],
      createdAt: new Date(now),
    },
  ]);
  deps.wake();
  return delivery;
}
