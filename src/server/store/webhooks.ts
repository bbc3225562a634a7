import type { Collection } from "mongodb";
import type { ProblemId, WebhookId } from "../../shared/ids.ts";
import { guarded } from "./unavailable.ts";

export type WebhookEvent =
  | "submission.finished"
  | "submission.failed"
  | "submission.cancelled"
  | "submission.rejudged"
  | "webhook.test";

/** What a secret is derived from, with the server's own; the secret itself is nowhere. */
export interface WebhookKey {
  readonly salt: string;
  /** Of the secret: tells when the server's own secret is another than when this was made. */
  readonly fingerprint: string;
  /** A former one signs beside the new one until then. */
  readonly until?: Date;
}

export interface WebhookDocument {
  readonly _id: WebhookId;
  readonly owner: string;
  readonly url: string;
  readonly events: readonly WebhookEvent[];
  /** Of the owner's own submissions, or of everybody's. */
  readonly scope: "OWN" | "ALL";
  /** Of this problem only. */
  readonly problem?: ProblemId;
  readonly description: string;
  readonly enabled: boolean;
  /** Why it is not enabled, where nobody asked for it. */
  readonly disabledReason?: string;
  /** The newest first. */
  readonly keys: readonly WebhookKey[];
  readonly createdAt: Date;
}

export interface Webhooks {
  insert(webhook: WebhookDocument): Promise<void>;
  get(id: WebhookId): Promise<WebhookDocument | undefined>;
  many(ids: readonly WebhookId[]): Promise<WebhookDocument[]>;
  countOf(owner: string): Promise<number>;
  anyEnabled(): Promise<boolean>;
  enabled(): Promise<WebhookDocument[]>;
  /** Newest first; of everybody without an owner. */
  page(input: {
    owner?: string | undefined;
    after?: WebhookId | undefined;
    first: number;
  }): Promise<WebhookDocument[]>;
  /** The webhook as it is then; undefined when it has gone. */
  update(id: WebhookId, set: Partial<WebhookDocument>): Promise<WebhookDocument | undefined>;
  /** False when it has gone. */
  remove(id: WebhookId): Promise<boolean>;
}

export async function createWebhookStore(collection: Collection<WebhookDocument>): Promise<Webhooks> {
  await guarded(() => collection.createIndexes([{ key: { owner: 1, _id: -1 } }, { key: { enabled: 1 } }]));
  return {
    insert: (webhook) =>
      guarded(async () => {
        await collection.insertOne(webhook);
      }),
    get: (id) => guarded(async () => (await collection.findOne({ _id: id })) ?? undefined),
    many: (ids) => guarded(() => collection.find({ _id: { $in: [...ids] } }).toArray()),
    countOf: (owner) => guarded(() => collection.countDocuments({ owner })),
    anyEnabled: () =>
      guarded(async () => (await collection.findOne({ enabled: true }, { projection: { _id: 1 } })) !== null),
    enabled: () => guarded(() => collection.find({ enabled: true }).toArray()),
    page: ({ owner, after, first }) =>
      guarded(() =>
        collection
          .find({
            ...(owner === undefined ? {} : { owner }),
            ...(after === undefined ? {} : { _id: { $lt: after } }),
          })
          .sort({ _id: -1 })
          .limit(first)
          .toArray(),
      ),
    update: (id, set) =>
      guarded(async () => {
        const { disabledReason, ...rest } = set;
        const changed = await collection.findOneAndUpdate(
          { _id: id },
          disabledReason === undefined
            ? { $set: rest, $unset: { disabledReason: "" } }
            : { $set: { ...rest, disabledReason } },
          { returnDocument: "after" },
        );
        return changed ?? undefined;
      }),
    remove: (id) => guarded(async () => (await collection.deleteOne({ _id: id })).deletedCount === 1),
  };
}
