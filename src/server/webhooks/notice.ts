import type { Clock } from "../../shared/clock.ts";
import type { CrashPoint } from "../../shared/crashpoint.ts";
import type { Log } from "../../shared/log.ts";
import { type Repeat, repeat } from "../../shared/repeat.ts";
import type { DeliveryDocument } from "../store/deliveries.ts";
import { isFinal, type JudgementDocument, revisionOf } from "../store/documents.ts";
import type { Judgements } from "../store/judgements.ts";
import type { Store } from "../store/store.ts";
import type { WebhookDocument, WebhookEvent } from "../store/webhooks.ts";

/** What becomes of a final state before it is a delivery. */
export interface Notices extends Repeat {
  /** The judgements with a mark set in the very write that makes one final, while there is any webhook. */
  marked(judgements: Judgements): Judgements;
}

const INTERVAL_MS = 500;
const BATCH = 200;

/** Undefined for what tells nobody anything: it does not count. */
export function eventOf(judgement: JudgementDocument): WebhookEvent | undefined {
  if (judgement.rejudge !== undefined)
    return judgement.state === "FINISHED" ? "submission.rejudged" : undefined;
  if (judgement.state === "FINISHED") return "submission.finished";
  if (judgement.state === "FAILED") return "submission.failed";
  return judgement.state === "CANCELLED" ? "submission.cancelled" : undefined;
}

const wants = (webhook: WebhookDocument, judgement: JudgementDocument, event: WebhookEvent): boolean =>
  webhook.events.includes(event) &&
  (webhook.scope === "ALL" || webhook.owner === judgement.owner) &&
  (webhook.problem === undefined || webhook.problem === judgement.problem);

/**
 * The outbox of webhooks. A final state is stored with a mark, and the mark goes after the deliveries that it asks for
 * are stored, under ids that only that state has: a crash at any place repeats, and loses and doubles nothing.
 */
export function createNotices(deps: {
  readonly store: Pick<Store, "webhooks" | "deliveries">;
  readonly clock: Clock;
  readonly crash: CrashPoint;
  readonly log: Log;
  /** There are new deliveries. */
  readonly wakeSender: () => void;
}): Notices {
  const { webhooks, deliveries } = deps.store;
  // Until it is known: a mark too many is taken off again.
  let any = true;

  function deliveriesOf(all: readonly WebhookDocument[], judgement: JudgementDocument): DeliveryDocument[] {
    const event = eventOf(judgement);
    if (event === undefined) return [];
    const now = new Date(deps.clock.now());
    return all
      .filter((webhook) => wants(webhook, judgement, event))
      .map((webhook) => ({
        _id: `${webhook._id}.${judgement.submission}.${revisionOf(judgement)}`,
        webhook: webhook._id,
        event,
        judgement: judgement._id,
        state: "WAITING",
        tries: 0,
        nextAt: now,
        attempts: [],
        createdAt: now,
      }));
  }

  const loop = repeat({
    name: "webhook notices",
    intervalMs: INTERVAL_MS,
    log: deps.log,
    async act(signal) {
      any = await webhooks.anyEnabled();
      while (!signal.aborted) {
        const batch = await deliveries.untold(BATCH);
        if (batch.length === 0) return;
        const all = await webhooks.enabled();
        const made = batch.flatMap((judgement) => deliveriesOf(all, judgement));
        await deliveries.insert(made);
        deps.crash("webhooks.afterInsert");
        await deliveries.told(batch.map((judgement) => judgement._id));
        if (made.length > 0) deps.wakeSender();
      }
    },
  });

  return {
    ...loop,
    marked: (judgements) => ({
      ...judgements,
      async replaceIfUnchanged(next) {
        // What a rejudge judges is marked when it comes to count (store/rejudged.ts).
        if (!any || !isFinal(next.state) || next.rejudge !== undefined) {
          return await judgements.replaceIfUnchanged(next);
        }
        const written = await judgements.replaceIfUnchanged({ ...next, untold: true });
        if (written) {
          deps.crash("webhooks.afterFinal");
          loop.wake();
        }
        return written;
      },
    }),
  };
}
