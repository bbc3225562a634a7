import type { Collection, Filter } from "mongodb";
import { judgementId, type JudgementId, type SubmissionId } from "../../shared/ids.ts";
import type { Lane } from "../../shared/lane.ts";
import type { QueueId } from "../../shared/queue.ts";
import type { JudgementDocument, JudgementState } from "./documents.ts";
import { groupInsert, type InsertOutcome } from "./insertgroup.ts";
import { groupRead } from "./readgroup.ts";
import { groupReplace } from "./replacegroup.ts";
import { guarded, guardedEach } from "./unavailable.ts";

export const UNFINISHED = ["PENDING", "QUEUED", "RUNNING"] as const satisfies readonly JudgementState[];

export interface StateCount {
  readonly language: QueueId;
  readonly lane: Lane;
  readonly state: JudgementState;
  readonly count: number;
  readonly oldestAt: Date;
}

export type QuietJudgement = Pick<
  JudgementDocument,
  "_id" | "submission" | "generation" | "dispatch" | "language" | "lane"
>;

/** The judgement documents. Every write is guarded; each method says by what. */
export interface Judgements {
  /** Guarded by the unique id. Durable on a majority when it returns. */
  insert(judgement: JudgementDocument): Promise<InsertOutcome>;
  get(id: JudgementId): Promise<JudgementDocument | undefined>;
  many(ids: readonly JudgementId[]): Promise<JudgementDocument[]>;
  /** All of one submission, those that do not count among them: newest first, those before generation `before`. */
  ofSubmission(input: {
    submission: SubmissionId;
    before?: number | undefined;
    first: number;
  }): Promise<JudgementDocument[]>;
  /** Writes `next` if the stored one still has the change before `next.change`; false when it has moved on. */
  replaceIfUnchanged(next: JudgementDocument): Promise<boolean>;
  /** Notes when subscribers were first given these final states; no change of them. */
  delivered(at: ReadonlyMap<JudgementId, Date>): Promise<void>;
  /** PENDING → QUEUED for those that are still PENDING in the same dispatch; the rest is left alone. */
  markQueued(dispatched: readonly { id: JudgementId; dispatch: number }[], at: Date): Promise<void>;
  /** PENDING and due, that due longest first. */
  due(input: { now: Date; limit: number }): Promise<JudgementDocument[]>;
  /**
   * Takes PENDING and due ones that were dispatched before, and whose publish may have failed, for this server until
   * `holdUntil`. Guarded by state and due time: of two servers, one gets each. Returns those taken.
   */
  claim(input: {
    ids: readonly JudgementId[];
    now: Date;
    holdUntil: Date;
    claim: string;
  }): Promise<JudgementDocument[]>;
  /** Lets PENDING ones of this claim wait until `until`. */
  defer(input: { ids: readonly JudgementId[]; claim: string; until: Date }): Promise<void>;
  /** How many of each language are QUEUED or RUNNING. */
  underWay(): Promise<ReadonlyMap<QueueId, number>>;
  /** QUEUED or RUNNING without a change since `before`, each once, in no order. */
  quiet(before: Date): AsyncIterable<QuietJudgement>;
  /** Removes a first judgement whose submission never came to be. Guarded: never dispatched by the outbox. */
  removeUntouched(id: JudgementId): Promise<void>;
  /** State, generation and change only, for those asked. */
  heads(
    ids: readonly JudgementId[],
  ): Promise<Pick<JudgementDocument, "_id" | "submission" | "generation" | "change" | "state">[]>;
  /**
   * Unfinished ones by language, lane and state; without those held in line (Held.counts), and without what the outbox
   * lets wait (no submission yet). Bounded by what the windows hold.
   */
  counts(now: Date): Promise<StateCount[]>;
  /** PENDING ones created before `before`. */
  oldPending(before: Date, limit: number): Promise<JudgementDocument[]>;
}

const due = (now: Date): Filter<JudgementDocument> => ({ state: "PENDING", dispatchAfter: { $lte: now } });

/** Hinted where the planner could be tempted to walk through everything that was ever judged. */
export const UNFINISHED_INDEX = { state: 1, language: 1, lane: 1, owner: 1, createdAt: 1 } as const;
/** MongoDB itself removes what has come to its time, within about a minute. */
export const EXPIRY_INDEX = { key: { expiresAt: 1 }, expireAfterSeconds: 0, sparse: true } as const;
const DUE_INDEX = { dispatchAfter: 1 } as const;
/** The longest time that a due judgement is held for publishing, milliseconds. */
const HELD_MS = 2_000;

export async function createJudgements(collection: Collection<JudgementDocument>): Promise<Judgements> {
  await guarded(() =>
    collection.createIndexes([
      { key: { owner: 1, _id: -1 } },
      { key: { problem: 1, _id: -1 } },
      { key: { contest: 1, _id: -1 }, partialFilterExpression: { contest: { $exists: true } } },
      // The jury's filters: without them a rare verdict or state is looked for among all that was ever judged.
      { key: { "result.verdict": 1, _id: -1 }, partialFilterExpression: { state: "FINISHED" } },
      { key: { state: 1, _id: -1 }, partialFilterExpression: { state: { $in: ["FAILED", "CANCELLED"] } } },
      // Small: what is final leaves it. Serves the outbox, the reconciler and the counts.
      {
        key: UNFINISHED_INDEX,
        partialFilterExpression: { state: { $in: [...UNFINISHED] } },
      },
      EXPIRY_INDEX,
      // Those that are due come first, however many are held.
      { key: DUE_INDEX, partialFilterExpression: { state: "PENDING" } },
    ]),
  );
  async function countsOf($match: object, hint: Readonly<Record<string, number>>): Promise<StateCount[]> {
    const $group = {
      _id: { language: "$language", lane: "$lane", state: "$state" },
      count: { $sum: 1 },
      oldestAt: { $min: "$createdAt" },
    };
    const groups = await collection
      .aggregate<Omit<StateCount, "language" | "lane" | "state"> & { _id: StateCount }>(
        [{ $match }, { $group }],
        { hint },
      )
      .toArray();
    return groups.map(({ _id, count, oldestAt }) => ({ ..._id, count, oldestAt }));
  }

  return {
    insert: groupInsert(collection),
    get: groupRead(collection),
    many: (ids) => guarded(() => collection.find({ _id: { $in: [...ids] } }).toArray()),
    ofSubmission: ({ submission, before, first }) =>
      guarded(() =>
        collection
          // "$" comes after "#": every id that starts with the submission's.
          .find({
            _id: { $gt: `${submission}#`, $lt: `${submission}$` } as unknown as JudgementId,
            ...(before === undefined ? {} : { generation: { $lt: before } }),
          })
          .sort({ generation: -1 })
          .limit(first)
          .toArray(),
      ),
    replaceIfUnchanged: groupReplace(collection),
    delivered: (at) =>
      guarded(async () => {
        await collection.bulkWrite(
          [...at].map(([_id, deliveredAt]) => ({
            updateOne: {
              filter: { _id, deliveredAt: { $exists: false } },
              update: { $set: { deliveredAt } },
            },
          })),
          { ordered: false },
        );
      }),
    markQueued: (dispatched, at) =>
      guarded(async () => {
        for (const [dispatch, group] of Map.groupBy(dispatched, (one) => one.dispatch)) {
          await collection.updateMany(
            { _id: { $in: group.map((one) => one.id) }, state: "PENDING", dispatch },
            { $set: { state: "QUEUED", updatedAt: at }, $inc: { change: 1 } },
          );
        }
      }),
    due: ({ now, limit }) =>
      guarded(() =>
        collection.find(due(now)).hint(DUE_INDEX).sort({ dispatchAfter: 1 }).limit(limit).toArray(),
      ),
    claim: ({ ids, now, holdUntil, claim }) =>
      guarded(async () => {
        const _id = { $in: [...ids] };
        await collection.updateMany(
          { ...due(now), _id, dispatch: { $gt: 0 } },
          { $set: { dispatchAfter: holdUntil, updatedAt: now, claim }, $inc: { change: 1 } },
        );
        return await collection.find({ _id, state: "PENDING", claim }).toArray();
      }),
    defer: ({ ids, claim, until }) =>
      guarded(async () => {
        await collection.updateMany(
          { _id: { $in: [...ids] }, state: "PENDING", claim },
          { $set: { dispatchAfter: until }, $inc: { change: 1 } },
        );
      }),
    underWay: () =>
      guarded(async () => {
        const groups = await collection
          .aggregate<{ _id: QueueId; count: number }>(
            [
              { $match: { state: { $in: ["QUEUED", "RUNNING"] } } },
              { $group: { _id: "$language", count: { $sum: 1 } } },
            ],
            { hint: UNFINISHED_INDEX },
          )
          .toArray();
        return new Map(groups.map(({ _id, count }) => [_id, count]));
      }),
    quiet: (before) =>
      guardedEach(
        collection
          .find({ state: { $in: ["QUEUED", "RUNNING"] }, updatedAt: { $lt: before } })
          .hint(UNFINISHED_INDEX)
          .batchSize(500)
          .project<QuietJudgement>({ submission: 1, generation: 1, dispatch: 1, language: 1, lane: 1 }),
      ),
    removeUntouched: (id) =>
      guarded(async () => {
        await collection.deleteOne({ _id: id, state: "PENDING", "tries.0": { $exists: false } });
      }),
    heads: (ids) =>
      guarded(() =>
        collection
          .find({ _id: { $in: [...ids] } })
          .project<Pick<JudgementDocument, "_id" | "submission" | "generation" | "change" | "state">>({
            submission: 1,
            generation: 1,
            change: 1,
            state: 1,
          })
          .toArray(),
      ),
    counts: (now) =>
      guarded(async () => {
        const onTheWay = { state: "PENDING", dispatchAfter: { $lte: new Date(now.getTime() + HELD_MS) } };
        const [published, pending] = await Promise.all([
          countsOf({ state: { $in: ["QUEUED", "RUNNING"] } }, UNFINISHED_INDEX),
          countsOf(onTheWay, DUE_INDEX),
        ]);
        return [...published, ...pending];
      }),
    oldPending: (before, limit) =>
      guarded(() =>
        collection
          .find({ state: "PENDING", createdAt: { $lt: before } })
          .limit(limit)
          .toArray(),
      ),
  };
}

/** The judgement that counts of a submission. */
export const currentJudgement = (submission: {
  readonly _id: SubmissionId;
  readonly generation: number;
}): JudgementId => judgementId(submission._id, submission.generation);
