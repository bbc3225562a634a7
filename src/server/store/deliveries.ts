import { type Collection, MongoBulkWriteError } from "mongodb";
import type { JudgementId, WebhookId } from "../../shared/ids.ts";
import type { JudgementDocument } from "./documents.ts";
import { DUPLICATE_KEY, guarded } from "./unavailable.ts";
import type { WebhookEvent } from "./webhooks.ts";

export type DeliveryState = "WAITING" | "DELIVERED" | "DEAD";

/** One try to hand an event over. */
export interface Attempt {
  readonly at: Date;
  readonly tookMs: number;
  /** HTTP status of the answer, if there was one. */
  readonly status?: number;
  readonly error?: string;
}

/** One event for one webhook; its id goes with it, and is the same in every try. */
export interface DeliveryDocument {
  /** `<webhook>.<submission>.<revision>`, so that the same event is one delivery however often it is found. */
  readonly _id: string;
  readonly webhook: WebhookId;
  readonly event: WebhookEvent;
  /** What it tells of; a test tells of nothing. */
  readonly judgement?: JudgementId;
  readonly state: DeliveryState;
  /** Tries begun since it was made or replayed. */
  readonly tries: number;
  /** The next try is due; while one is under way: when it is taken for lost. */
  readonly nextAt: Date;
  /** The newest last. */
  readonly attempts: readonly Attempt[];
  readonly createdAt: Date;
  readonly doneAt?: Date;
  /** Forgotten then. */
  readonly expireAt?: Date;
}

/** The queue of deliveries. */
export interface Deliveries {
  /** Those that are there already stay as they are. */
  insert(deliveries: readonly DeliveryDocument[]): Promise<void>;
  get(id: string): Promise<DeliveryDocument | undefined>;
  /** Webhooks that something is due for. */
  dueWebhooks(now: Date): Promise<WebhookId[]>;
  /** Takes the one that is due longest for a try, until `until`. Of several callers one gets each. */
  take(input: { webhook: WebhookId; now: Date; until: Date }): Promise<DeliveryDocument | undefined>;
  /** What came of a try. Guarded by its number: false when it was taken for lost and another one has begun. */
  settle(
    taken: DeliveryDocument,
    set: Pick<DeliveryDocument, "state" | "nextAt"> & Pick<Partial<DeliveryDocument>, "doneAt" | "expireAt">,
    attempt: Attempt,
  ): Promise<boolean>;
  /** Newest first. */
  page(input: {
    webhook: WebhookId;
    state?: DeliveryState | undefined;
    before?: { at: Date; id: string } | undefined;
    first: number;
  }): Promise<DeliveryDocument[]>;
  /** Sends them again from the beginning, whatever came of them; how many. */
  replay(input: {
    webhook: WebhookId;
    ids?: readonly string[] | undefined;
    state?: DeliveryState | undefined;
    since?: Date | undefined;
    now: Date;
  }): Promise<number>;
  counts(): Promise<ReadonlyMap<DeliveryState, number>>;
  removeOf(webhook: WebhookId): Promise<void>;
  /** Final judgements that no webhook has been asked about, at most `limit`. */
  untold(limit: number): Promise<JudgementDocument[]>;
  told(judgements: readonly JudgementId[]): Promise<void>;
}

const ATTEMPTS_KEPT = 20;

export async function createDeliveries(deps: {
  readonly collection: Collection<DeliveryDocument>;
  readonly judgements: Collection<JudgementDocument>;
}): Promise<Deliveries> {
  const { collection, judgements } = deps;
  const waiting = { state: "WAITING" } as const;
  await guarded(() =>
    collection.createIndexes([
      { key: { state: 1, webhook: 1, nextAt: 1 }, partialFilterExpression: waiting },
      { key: { webhook: 1, createdAt: -1, _id: -1 } },
      { key: { expireAt: 1 }, expireAfterSeconds: 0 },
      { key: { state: 1 } },
    ]),
  );
  // Empty almost always.
  await guarded(() =>
    judgements.createIndex({ untold: 1 }, { partialFilterExpression: { untold: { $exists: true } } }),
  );
  return {
    insert: (all) =>
      guarded(async () => {
        if (all.length === 0) return;
        try {
          await collection.insertMany(all, { ordered: false });
        } catch (error) {
          const refused = error instanceof MongoBulkWriteError ? [error.writeErrors].flat() : [];
          if (refused.length === 0 || refused.some((one) => one.code !== DUPLICATE_KEY)) throw error;
        }
      }),
    get: (id) => guarded(async () => (await collection.findOne({ _id: id })) ?? undefined),
    dueWebhooks: (now) =>
      guarded(() => collection.distinct("webhook", { ...waiting, nextAt: { $lte: now } })),
    take: ({ webhook, now, until }) =>
      guarded(async () => {
        const taken = await collection.findOneAndUpdate(
          { ...waiting, webhook, nextAt: { $lte: now } },
          { $set: { nextAt: until }, $inc: { tries: 1 } },
          { sort: { nextAt: 1 }, returnDocument: "after" },
        );
        return taken ?? undefined;
      }),
    settle: ({ _id, tries }, set, attempt) =>
      guarded(async () => {
        const settled = await collection.updateOne(
          { _id, ...waiting, tries },
          { $set: set, $push: { attempts: { $each: [attempt], $slice: -ATTEMPTS_KEPT } } },
        );
        return settled.matchedCount === 1;
      }),
    page: ({ webhook, state, before, first }) =>
      guarded(() =>
        collection
          .find({
            webhook,
            ...(state === undefined ? {} : { state }),
            ...(before === undefined
              ? {}
              : {
                  $or: [{ createdAt: { $lt: before.at } }, { createdAt: before.at, _id: { $lt: before.id } }],
                }),
          })
          .sort({ createdAt: -1, _id: -1 })
          .limit(first)
          .toArray(),
      ),
    replay: ({ webhook, ids, state, since, now }) =>
      guarded(async () => {
        const replayed = await collection.updateMany(
          {
            webhook,
            ...(ids === undefined ? {} : { _id: { $in: [...ids] } }),
            ...(state === undefined ? {} : { state }),
            ...(since === undefined ? {} : { createdAt: { $gte: since } }),
          },
          { $set: { state: "WAITING", tries: 0, nextAt: now }, $unset: { doneAt: "", expireAt: "" } },
        );
        return replayed.matchedCount;
      }),
    counts: () =>
      guarded(async () => {
        const groups = await collection
          .aggregate<{ _id: DeliveryState; count: number }>([
            { $match: { state: { $in: ["WAITING", "DEAD"] } } },
            { $group: { _id: "$state", count: { $sum: 1 } } },
          ])
          .toArray();
        return new Map(groups.map(({ _id, count }) => [_id, count]));
      }),
    removeOf: (webhook) =>
      guarded(async () => {
        await collection.deleteMany({ webhook });
      }),
    untold: (limit) =>
      guarded(() => judgements.find({ untold: true }).hint({ untold: 1 }).limit(limit).toArray()),
    told: (ids) =>
      guarded(async () => {
        await judgements.updateMany({ _id: { $in: [...ids] } }, { $unset: { untold: "" } });
      }),
  };
}
