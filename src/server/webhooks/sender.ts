import type { Clock } from "../../shared/clock.ts";
import type { CrashPoint } from "../../shared/crashpoint.ts";
import type { WebhookId } from "../../shared/ids.ts";
import type { Limits } from "../../shared/limits.ts";
import type { Log } from "../../shared/log.ts";
import { type Repeat, repeat } from "../../shared/repeat.ts";
import type { Attempt, DeliveryDocument } from "../store/deliveries.ts";
import type { SubmissionSnapshot } from "../store/documents.ts";
import type { Store } from "../store/store.ts";
import type { WebhookDocument } from "../store/webhooks.ts";
import type { Addresses } from "./address.ts";
import type { WebhookMeasures } from "./measures.ts";
import { payloadOf } from "./payload.ts";
import { post, type Posted } from "./post.ts";
import { signedHeaders } from "./signature.ts";

export interface SenderDeps {
  readonly store: Pick<Store, "webhooks" | "deliveries" | "judgements" | "submissions">;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly crash: CrashPoint;
  readonly log: Log;
  readonly addresses: Addresses;
  readonly capabilitySecret: string;
  readonly measures: WebhookMeasures;
}

const INTERVAL_MS = 500;
/** Deliveries at once from one server, of all webhooks together. */
const AT_ONCE = 256;
/** A try that has not settled so long after its timeout is taken for lost, milliseconds. */
const LOST_MS = 5_000;
const LONGEST_RETRY_MS = 12 * 3_600_000;
const DAY_MS = 24 * 3_600_000;
/** How long delivered ones, and ones given up, are kept. */
const KEPT_MS = { DELIVERED: 7 * DAY_MS, DEAD: 30 * DAY_MS };
const GONE = 410;

/** Wait before the next try, after `tries` of them; a fifth more or less, so that many do not come at once. */
export const retryMs = (firstMs: number, tries: number, chance: number): number =>
  Math.min(LONGEST_RETRY_MS, firstMs * 3 ** (tries - 1)) * (0.8 + 0.4 * chance);

/** Sends what is due, from every server; each webhook has its own bound, so that a slow one delays no other. */
export function createSender(deps: SenderDeps): Repeat {
  const { store, limits, clock, log, measures } = deps;
  const active = new Map<WebhookId, number>();
  /** Failed last time: one try at a time shows whether it works again. */
  const failing = new Set<WebhookId>();
  const running = new Set<Promise<void>>();

  async function snapshotOf({ judgement: id }: DeliveryDocument): Promise<SubmissionSnapshot | undefined> {
    const judgement = id && (await store.judgements.get(id));
    const submission = judgement && (await store.submissions.get(judgement.submission));
    return submission && { submission, judgement };
  }

  async function attempt(webhook: WebhookDocument, delivery: DeliveryDocument): Promise<Posted> {
    if (!webhook.enabled) return { error: "the webhook is switched off" };
    const snapshot = await snapshotOf(delivery);
    const body = payloadOf(delivery, snapshot);
    const at = new Date(clock.now());
    const signing = { webhook: webhook._id, keys: webhook.keys, id: delivery._id, at, body };
    const headers = signedHeaders(deps.capabilitySecret, signing);
    if (headers === undefined) {
      return { error: "the server's secret has changed since: rotate the webhook's secret" };
    }
    return await post(
      { addresses: deps.addresses, timeoutMs: limits.webhookTimeoutMs },
      { url: webhook.url, headers, body },
    );
  }

  async function settle(webhook: WebhookDocument, delivery: DeliveryDocument, posted: Posted, at: Date) {
    const now = clock.now();
    const status = "status" in posted ? posted.status : undefined;
    const delivered = status !== undefined && status >= 200 && status < 300;
    const redirect = status !== undefined && status >= 300 && status < 400;
    const error = "error" in posted ? posted.error : redirect ? "redirects are not followed" : undefined;
    const tried: Attempt = {
      at,
      tookMs: now - at.getTime(),
      ...(status === undefined ? {} : { status }),
      ...(error === undefined ? {} : { error: error.slice(0, 300) }),
    };
    const done = delivered || status === GONE || !webhook.enabled || delivery.tries >= limits.webhookTries;
    const state = delivered ? "DELIVERED" : "DEAD";
    const wait = Math.max(
      retryMs(limits.webhookRetryMs, delivery.tries, Math.random()),
      ("retryAfterMs" in posted ? posted.retryAfterMs : undefined) ?? 0,
    );
    deps.crash("webhooks.beforeSettle");
    await store.deliveries.settle(
      delivery,
      done
        ? { state, nextAt: new Date(now), doneAt: new Date(now), expireAt: new Date(now + KEPT_MS[state]) }
        : { state: "WAITING", nextAt: new Date(now + wait) },
      tried,
    );
    measures.attempts.inc({ outcome: delivered ? "delivered" : done ? "dead" : "failed" });
    if (delivered) failing.delete(webhook._id);
    else {
      failing.add(webhook._id);
      log.warn({ webhook: webhook._id, delivery: delivery._id, status, error, dead: done }, "webhook failed");
    }
    if (status === GONE) {
      const disabledReason = "the receiver answered 410 Gone";
      await store.webhooks.update(webhook._id, { enabled: false, disabledReason });
    }
  }

  async function send(webhook: WebhookDocument, delivery: DeliveryDocument): Promise<void> {
    const at = new Date(clock.now());
    await settle(webhook, delivery, await attempt(webhook, delivery), at);
  }

  /** Takes what one webhook has due, up to its bound. */
  async function serve(webhook: WebhookDocument, signal: AbortSignal): Promise<void> {
    const { _id: id } = webhook;
    while (!signal.aborted && running.size < AT_ONCE) {
      const own = active.get(id) ?? 0;
      if (own >= (failing.has(id) ? 1 : limits.webhookAtOnce)) return;
      const now = clock.now();
      const until = new Date(now + limits.webhookTimeoutMs + LOST_MS);
      const taken = await store.deliveries.take({ webhook: id, now: new Date(now), until });
      if (taken === undefined) return;
      active.set(id, own + 1);
      const run: Promise<void> = send(webhook, taken)
        .catch((error: unknown) => log.warn({ err: error, webhook: id }, "a delivery goes on later"))
        .finally(() => {
          running.delete(run);
          const left = (active.get(id) ?? 1) - 1;
          if (left > 0) active.set(id, left);
          else active.delete(id);
          loop.wake();
        });
      running.add(run);
    }
  }

  const loop = repeat({
    name: "webhook sender",
    intervalMs: INTERVAL_MS,
    log,
    async act(signal) {
      const due = await store.deliveries.dueWebhooks(new Date(clock.now()));
      if (due.length === 0) return;
      const webhooks = await store.webhooks.many(due);
      const known = new Set(webhooks.map((webhook) => webhook._id));
      // Deleted, and something was put in line for it just then.
      for (const id of due) if (!known.has(id)) await store.deliveries.removeOf(id);
      await Promise.all(webhooks.map((webhook) => serve(webhook, signal)));
    },
  });
  return {
    ...loop,
    async stop() {
      await loop.stop();
      await Promise.all(running);
    },
  };
}
