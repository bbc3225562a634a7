import type { Registry } from "prom-client";
import type { WebhookId } from "../../shared/ids.ts";
import type { Service } from "../../shared/lifecycle.ts";
import type { DeliveryState } from "../store/deliveries.ts";
import type { Judgements } from "../store/judgements.ts";
import type { Store } from "../store/store.ts";
import { createAddresses } from "./address.ts";
import {
  createWebhook,
  type CreateWebhookInput,
  deleteWebhook,
  type KeepDeps,
  type Kept,
  testWebhook,
  updateWebhook,
  type UpdateWebhookInput,
} from "./keep.ts";
import { createWebhookMeasures } from "./measures.ts";
import { createNotices } from "./notice.ts";
import { createSender, type SenderDeps } from "./sender.ts";

/** Signed calls to users' own servers when a submission of theirs got its final state. */
export interface WebhookCalls {
  /** In this order; they need nothing but the store. */
  readonly services: readonly Service[];
  /** The judgements as every part that can end one must write them. */
  readonly judgements: Judgements;
  create(input: CreateWebhookInput): Promise<Kept>;
  update(input: UpdateWebhookInput): Promise<Kept>;
  remove(id: WebhookId): Promise<boolean>;
  test(id: WebhookId): Promise<string>;
  /** How many deliveries are sent again. */
  replay(input: {
    webhook: WebhookId;
    ids?: readonly string[] | undefined;
    state?: DeliveryState | undefined;
    since?: Date | undefined;
  }): Promise<number>;
}

export interface WebhookDeps extends Omit<SenderDeps, "addresses" | "measures" | "store"> {
  readonly store: Pick<Store, "webhooks" | "deliveries" | "judgements" | "submissions">;
  readonly registry: Registry;
  /** Addresses and ranges that are private and may be called all the same. */
  readonly allow: readonly string[];
}

export function createWebhookCalls(given: WebhookDeps): WebhookCalls {
  const { store, clock } = given;
  const addresses = createAddresses(given.allow);
  const measures = createWebhookMeasures(given.registry, store);
  const sender = createSender({ ...given, addresses, measures });
  const wakeSender = (): void => sender.wake();
  const notices = createNotices({ ...given, wakeSender });
  const wake = (): void => {
    notices.wake();
    sender.wake();
  };
  const keep: KeepDeps = { ...given, addresses, wake };
  return {
    services: [sender, notices],
    judgements: notices.marked(store.judgements),
    create: (input) => createWebhook(keep, input),
    update: (input) => updateWebhook(keep, input),
    remove: (id) => deleteWebhook(keep, id),
    test: (id) => testWebhook(keep, id),
    async replay(input) {
      const replayed = await store.deliveries.replay({ ...input, now: new Date(clock.now()) });
      sender.wake();
      return replayed;
    },
  };
}
