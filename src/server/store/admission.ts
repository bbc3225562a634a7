import type { Collection, Filter } from "mongodb";
import type { SubmissionId } from "../../shared/ids.ts";
import { LANES } from "../../shared/lane.ts";
import type { JudgementDocument, SubmissionDocument } from "./documents.ts";
import { UNFINISHED, UNFINISHED_INDEX } from "./judgements.ts";
import { guarded } from "./unavailable.ts";

/** A submission that is just being stored: counted already, and not to be found yet. */
interface Hold {
  readonly id: SubmissionId;
  /** Past it, it is stored or will never be: no request takes so long. */
  readonly until: Date;
}

/** Of one owner, or of one contest: what it has used of what it may. One document, so that one write decides. */
export interface AllowanceDocument {
  readonly _id: string;
  /** Submissions that may be handed in at once, as of `filledAt`. */
  readonly tokens: number;
  readonly filledAt: Date;
  /**
   * Never fewer than the unfinished submissions that there are. Grows with each reservation and is counted anew from
   * what is stored when it comes near a limit, so nothing that a crash leaves behind stays in it.
   */
  readonly unfinished: number;
  /** False: nobody has counted yet, so nothing is granted. */
  readonly counted: boolean;
  readonly holds: readonly Hold[];
  /** Grows with every reservation; guards the count. */
  readonly term: number;
  /** The newest reservation and how much of it was granted. */
  readonly granted: number;
}

/** What somebody may do. */
export interface Allowance {
  /** Submissions a second, over time; and at once, after a pause. */
  readonly perSecond: number;
  readonly burst: number;
  /** Unfinished submissions. */
  readonly unfinished: number;
}

export interface Reserved {
  /** How many of those asked for were granted, from the front. */
  readonly granted: number;
  /** What is left of the burst. */
  readonly tokens: number;
  /** Upper bound of the unfinished submissions, those granted included. */
  readonly unfinished: number;
  /** False: they were never counted, and nothing is granted before. */
  readonly counted: boolean;
}

export type AllowanceOf = { readonly owner: string } | { readonly contest: string };

export interface Admission {
  /**
   * Takes as much as is allowed for these submissions-to-be, in one round trip and exactly, whatever other servers do
   * at the same time. Not waiting for the journal: after a crash of the database the count is made anew.
   */
  reserve(input: {
    readonly of: AllowanceOf;
    readonly ids: readonly SubmissionId[];
    readonly allowance: Allowance;
  }): Promise<Reserved>;
  /**
   * Counts the unfinished submissions of an owner anew: those stored, and those just being stored. Rejudges apart,
   * which somebody else asked for. Not further than `upTo`: with more than that the number stays as it is. False when
   * a reservation came in between.
   */
  recount(owner: string, upTo: number): Promise<boolean>;
  /** Of reservations: these are stored; or, with `back`, they never will be and cost nothing. */
  release(input: {
    readonly of: AllowanceOf;
    readonly ids: readonly SubmissionId[];
    readonly back: boolean;
  }): Promise<void>;
}

/** Far above the longest time that a write of a request can take, milliseconds; see StoreAccess.timeoutMs. */
const HOLD_MS = 60_000;

/** Counted up to here: of somebody without a limit nobody needs to know more. */
const MOST = 10_000;

const keyOf = (of: AllowanceOf): string => ("owner" in of ? `owner:${of.owner}` : `contest:${of.contest}`);

/** Quick, not durable: losing the newest of it lets somebody hand in a little more. */
const LIGHT = { writeConcern: { w: 1, journal: false }, readConcern: { level: "local" } } as const;

/** `$holds` and a hold for each submission that was granted. */
const heldToo = (ids: readonly SubmissionId[]) => {
  const granted = { $slice: [{ $literal: [...ids] }, { $max: [1, "$granted"] }] };
  const until = { $add: ["$$NOW", HOLD_MS] };
  const more = { $map: { input: granted, in: { id: "$$this", until } } };
  return { $cond: [{ $eq: ["$granted", 0] }, "$holds", { $concatArrays: ["$holds", more] }] };
};

export function createAdmission(deps: {
  readonly allowances: Collection<AllowanceDocument>;
  readonly judgements: Collection<JudgementDocument>;
  readonly submissions: Collection<SubmissionDocument>;
}): Admission {
  const { allowances, judgements, submissions } = deps;

  /** Ids of submissions that are stored and unfinished. A judgement alone is of a request that was cut off. */
  async function stored(owner: string, most: number): Promise<SubmissionId[]> {
    const filter: Filter<JudgementDocument> = {
      state: { $in: [...UNFINISHED] },
      lane: { $in: LANES.filter((lane) => lane !== "rejudge") },
      owner,
      rejudge: { $exists: false },
    };
    // Filtered before it is bounded: one that is just being stored must not take the place of one that is.
    const found = await judgements
      .aggregate<Pick<JudgementDocument, "submission">>(
        [
          { $match: filter },
          {
            $lookup: {
              from: submissions.collectionName,
              localField: "submission",
              foreignField: "_id",
              pipeline: [{ $project: { _id: 1 } }],
              as: "stored",
            },
          },
          { $match: { "stored.0": { $exists: true } } },
          { $limit: most },
          { $project: { _id: 0, submission: 1 } },
        ],
        { ...LIGHT, hint: UNFINISHED_INDEX },
      )
      .toArray();
    return found.map((one) => one.submission);
  }

  return {
    reserve: ({ of, ids, allowance }) =>
      guarded(async () => {
        const { perSecond, burst } = allowance;
        const elapsed = { $max: [0, { $subtract: ["$$NOW", { $ifNull: ["$filledAt", "$$NOW"] }] }] };
        const refilled = {
          $add: [{ $ifNull: ["$tokens", burst] }, { $multiply: [elapsed, perSecond / 1000] }],
        };
        const free = { $cond: ["$counted", { $subtract: [allowance.unfinished, "$unfinished"] }, 0] };
        const after = await allowances.findOneAndUpdate(
          { _id: keyOf(of) },
          [
            {
              $set: {
                tokens: { $min: [burst, refilled] },
                filledAt: "$$NOW",
                unfinished: { $ifNull: ["$unfinished", 0] },
                // A contest counts only how fast it goes.
                counted: { $ifNull: ["$counted", "contest" in of] },
                term: { $add: [{ $ifNull: ["$term", 0] }, 1] },
                holds: {
                  $filter: { input: { $ifNull: ["$holds", []] }, cond: { $gt: ["$$this.until", "$$NOW"] } },
                },
              },
            },
            {
              $set: { granted: { $max: [0, { $min: [ids.length, { $floor: "$tokens" }, free] }] } },
            },
            {
              $set: {
                tokens: { $subtract: ["$tokens", "$granted"] },
                ...("contest" in of
                  ? {}
                  : { unfinished: { $add: ["$unfinished", "$granted"] }, holds: heldToo(ids) }),
              },
            },
          ],
          {
            upsert: true,
            returnDocument: "after",
            projection: { tokens: 1, unfinished: 1, counted: 1, granted: 1 },
            ...LIGHT,
          },
        );
        if (after === null) throw new Error(`the allowance ${keyOf(of)} could not be written`);
        const { granted, tokens, unfinished, counted } = after;
        return { granted, tokens, unfinished, counted };
      }),
    recount: (owner, upTo) =>
      guarded(async () => {
        const _id = keyOf({ owner });
        const before = await allowances.findOne({ _id }, LIGHT);
        const now = new Date();
        const held = (before?.holds ?? []).filter((hold) => hold.until > now).map((hold) => hold.id);
        // What is being stored may be found already: then it counts once.
        const found = await stored(owner, Math.min(MOST, upTo) + 1);
        const unfinished = new Set([...held, ...found]).size;
        if (before?.counted === true && found.length > upTo) return true;
        const counted = await allowances.updateOne(
          { _id, ...(before === null ? {} : { term: before.term }) },
          { $set: { unfinished, counted: true }, $inc: { term: 1 } },
          LIGHT,
        );
        return counted.matchedCount === 1;
      }),
    release: ({ of, ids, back }) =>
      guarded(async () => {
        const given = back ? ids.length : 0;
        await allowances.updateOne(
          { _id: keyOf(of) },
          {
            $pull: { holds: { id: { $in: [...ids] } } },
            // The term grows, so that a count that is under way does not take back what is given here.
            $inc: { tokens: given, term: 1, ...("owner" in of ? { unfinished: -given } : {}) },
          },
          LIGHT,
        );
      }),
  };
}
