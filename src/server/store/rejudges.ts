import type { Collection, Filter } from "mongodb";
import type { ContestId, ProblemId, RejudgeId, SubmissionId } from "../../shared/ids.ts";
import type { LanguageId } from "../../shared/language.ts";
import { guarded } from "./unavailable.ts";

/**
 * SELECTING and JUDGING go on by themselves; READY waits for somebody's word, unless it applies itself; APPLYING and
 * CANCELLING are finished by any server.
 */
export type RejudgeState =
  | "SELECTING"
  | "JUDGING"
  | "READY"
  | "APPLYING"
  | "APPLIED"
  | "CANCELLING"
  | "CANCELLED";

export type RejudgePriority = "LOW" | "NORMAL" | "HIGH";

/** Which submissions; all given members must fit. */
export interface RejudgeFilter {
  readonly problem?: ProblemId;
  readonly language?: LanguageId;
  readonly contest?: ContestId;
  /** Of the judgement that counts. */
  readonly verdict?: string;
  readonly owner?: string;
  /** Handed in at this time or later, and before that one. */
  readonly since?: Date;
  readonly before?: Date;
  /** These and no others. */
  readonly ids?: readonly SubmissionId[];
}

/** Submissions that fit and were left out. */
export interface RejudgeSkipped {
  /** Being judged just then. */
  readonly unfinished: number;
  /** Taken back by their owner, and not asked for by id. */
  readonly cancelled: number;
  /** Part of another rejudge that is neither applied nor cancelled. */
  readonly busy: number;
}

export interface RejudgeDocument {
  readonly _id: RejudgeId;
  readonly by: string;
  readonly reason: string;
  readonly filter: RejudgeFilter;
  readonly priority: RejudgePriority;
  /** Applies itself as soon as all are judged. */
  readonly autoApply: boolean;
  readonly state: RejudgeState;
  /** While SELECTING: submissions from this one on, in the order of newest first, have been looked at. */
  readonly cursor: SubmissionId;
  /** Submissions taken in so far. */
  readonly selected: number;
  readonly skipped: RejudgeSkipped;
  readonly createdAt: Date;
  /** Who had it applied; `moved` and `at` are those of the one write that did it. */
  readonly apply?: {
    readonly by: string;
    readonly at: Date;
    /** Submissions whose judgement of this rejudge counts from then on. */
    readonly moved?: number;
    /** Those that somebody had judged anew meanwhile, by a redrive: that counts. */
    readonly superseded?: number;
    /** Those that could not be judged, or were cancelled one by one: what counted before goes on counting. */
    readonly kept?: number;
  };
  readonly cancel?: { readonly by: string; readonly at: Date };
  readonly closedAt?: Date;
}

/** The rejudges themselves; what they have judged is in store/rejudged.ts. Every write is guarded by the state before. */
export interface Rejudges {
  insert(rejudge: RejudgeDocument): Promise<void>;
  get(id: RejudgeId): Promise<RejudgeDocument | undefined>;
  /** Newest first. */
  page(input: { after?: RejudgeId | undefined; first: number }): Promise<RejudgeDocument[]>;
  /** Those that something is to be done for, and those closed since: oldest first. */
  active(closedSince: Date): Promise<RejudgeDocument[]>;
  /** Sets `set` when its state is one of `from`; the new document, or undefined. */
  move(input: {
    id: RejudgeId;
    from: readonly RejudgeState[];
    set: Partial<RejudgeDocument>;
  }): Promise<RejudgeDocument | undefined>;
  /** One batch of the selection is done. Guarded by the cursor: false when another server was faster. */
  passed(input: {
    id: RejudgeId;
    cursor: SubmissionId;
    next: SubmissionId;
    selected: number;
    skipped: RejudgeSkipped;
  }): Promise<boolean>;
}

/** For the loop on every server: few are not closed, so that the index is small. */
const OPEN: readonly RejudgeState[] = ["SELECTING", "JUDGING", "READY", "APPLYING", "CANCELLING"];
const BUSY: readonly RejudgeState[] = ["SELECTING", "JUDGING", "APPLYING", "CANCELLING"];

export async function createRejudges(collection: Collection<RejudgeDocument>): Promise<Rejudges> {
  await guarded(() =>
    collection.createIndexes([
      { key: { state: 1 }, partialFilterExpression: { state: { $in: [...OPEN] } } },
      { key: { closedAt: 1 }, partialFilterExpression: { closedAt: { $exists: true } } },
    ]),
  );
  return {
    insert: (rejudge) =>
      guarded(async () => {
        await collection.insertOne(rejudge);
      }),
    get: (id) => guarded(async () => (await collection.findOne({ _id: id })) ?? undefined),
    page: ({ after, first }) =>
      guarded(() =>
        collection
          .find(after === undefined ? {} : { _id: { $lt: after } })
          .sort({ _id: -1 })
          .limit(first)
          .toArray(),
      ),
    active: (closedSince) =>
      guarded(async () => {
        const open = await collection.find({ state: { $in: [...BUSY] } }).toArray();
        const closed = await collection.find({ closedAt: { $gte: closedSince } }).toArray();
        return [...open, ...closed].toSorted((a, b) => (a._id < b._id ? -1 : 1));
      }),
    move: ({ id, from, set }) =>
      guarded(async () => {
        const filter: Filter<RejudgeDocument> = { _id: id, state: { $in: [...from] } };
        const moved = await collection.findOneAndUpdate(filter, { $set: set }, { returnDocument: "after" });
        return moved ?? undefined;
      }),
    passed: ({ id, cursor, next, selected, skipped }) =>
      guarded(async () => {
        const passed = await collection.updateOne(
          { _id: id, state: "SELECTING", cursor },
          {
            $set: { cursor: next },
            $inc: {
              selected,
              "skipped.unfinished": skipped.unfinished,
              "skipped.cancelled": skipped.cancelled,
              "skipped.busy": skipped.busy,
            },
          },
        );
        return passed.matchedCount === 1;
      }),
  };
}
