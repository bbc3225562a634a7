import { setTimeout } from "node:timers/promises";
import {
  type Binary,
  type ClientSession,
  type Collection,
  type MongoClient,
  MongoServerError,
} from "mongodb";
import { judgementId, type RejudgeId, type SubmissionId } from "../../shared/ids.ts";
import type { JudgementDocument, JudgementState, SubmissionDocument } from "./documents.ts";
import { UNFINISHED } from "./judgements.ts";
import type { RejudgeDocument } from "./rejudges.ts";
import { guarded, INTERRUPTED } from "./unavailable.ts";

/** A judgement of a rejudge; its `rejudge` is there. */
export interface RejudgedDocument extends JudgementDocument {
  readonly rejudge: NonNullable<JudgementDocument["rejudge"]>;
}

/** How many would change from one verdict to another; the state stands for the verdict where there is none. */
export interface VerdictChange {
  readonly from: string;
  readonly to: string;
  readonly count: number;
}

/** The judgements and submissions of rejudges. */
export interface Rejudged {
  /**
   * Marks submissions as part of this rejudge, of one at a time: which are. Those that are part of another one, open,
   * are left out. Repeatable.
   */
  claim(input: { id: RejudgeId; submissions: readonly SubmissionId[] }): Promise<ReadonlySet<SubmissionId>>;
  /** Which of these have a judgement of this rejudge. */
  judged(input: { id: RejudgeId; submissions: readonly SubmissionId[] }): Promise<ReadonlySet<SubmissionId>>;
  /** The judgement of this submission. */
  of(input: { id: RejudgeId; submission: SubmissionId }): Promise<JudgementDocument | undefined>;
  counts(id: RejudgeId): Promise<ReadonlyMap<JudgementState, number>>;
  anyUnfinished(id: RejudgeId): Promise<boolean>;
  unfinished(id: RejudgeId, limit: number): Promise<JudgementDocument[]>;
  /** Finished ones only, the most frequent first. */
  changes(id: RejudgeId): Promise<VerdictChange[]>;
  /** In the order of submissions. */
  page(input: {
    id: RejudgeId;
    changedOnly: boolean;
    after?: SubmissionId | undefined;
    first: number;
  }): Promise<RejudgedDocument[]>;
  /**
   * Makes every finished judgement of an APPLYING rejudge count, in one transaction: all of them and the rejudge's own
   * state, or nothing. Those that somebody had judged anew meanwhile are left alone. The judgements that were moved to;
   * undefined when its state is another. Safe to repeat and to run anywhere at once.
   */
  apply(input: {
    id: RejudgeId;
    at: Date;
    crash: (place: string) => void;
  }): Promise<{ readonly rejudge: RejudgeDocument; readonly moved: readonly Moved[] } | undefined>;
  /** Lets go of every submission that is marked as part of this rejudge. */
  release(id: RejudgeId): Promise<void>;
}

export type Moved = Pick<
  RejudgedDocument,
  "_id" | "submission" | "generation" | "change" | "state" | "manifest" | "rejudge"
>;

/** Several servers that apply the same one end each other's sessions: tries of one, and the pause between, milliseconds. */
const APPLY_TRIES = 10;
const APPLY_PAUSE_MS = 200;

/** Without these a judgement's document is small: results and tries are not needed. */
const MOVED = { submission: 1, generation: 1, change: 1, state: 1, manifest: 1, rejudge: 1 } as const;

export async function createRejudged(deps: {
  readonly client: MongoClient;
  readonly rejudges: Collection<RejudgeDocument & { readonly session?: Binary | undefined }>;
  readonly submissions: Collection<SubmissionDocument>;
  readonly judgements: Collection<JudgementDocument>;
}): Promise<Rejudged> {
  const { client, rejudges, submissions, judgements } = deps;
  // Small: ordinary judgings are in neither. One judgement of a rejudge for each submission, whoever makes it.
  const only = { "rejudge.id": { $exists: true } };
  await guarded(() =>
    judgements.createIndexes([
      { key: { "rejudge.id": 1, submission: 1 }, unique: true, partialFilterExpression: only },
      { key: { "rejudge.id": 1, state: 1 }, partialFilterExpression: only },
    ]),
  );
  await guarded(() =>
    submissions.createIndex({ rejudge: 1 }, { partialFilterExpression: { rejudge: { $exists: true } } }),
  );

  async function applyWithin(
    session: ClientSession,
    { id, at, crash }: Parameters<Rejudged["apply"]>[0],
  ): Promise<Awaited<ReturnType<Rejudged["apply"]>>> {
    const rejudge = await rejudges.findOne({ _id: id, state: "APPLYING" }, { session });
    if (rejudge?.apply === undefined) return undefined;
    const { by } = rejudge.apply;
    const all = await judgements
      .find({ "rejudge.id": id, state: "FINISHED" }, { session })
      .project<Moved>(MOVED)
      .toArray();
    const heads = submissions
      .find({ rejudge: id }, { session })
      .project<Pick<SubmissionDocument, "_id" | "generation">>({ generation: 1 });
    const counting = new Map<SubmissionId, number>();
    for await (const head of heads) counting.set(head._id, head.generation);
    // Read and written in one snapshot: a redrive that moves the pointer in between makes this begin anew.
    const moved = all.filter((one) => (counting.get(one.submission) ?? Infinity) < one.generation);
    if (moved.length > 0) {
      await submissions.bulkWrite(
        moved.map(({ submission: _id, generation, manifest }) => ({
          updateOne: {
            filter: { _id },
            update: { $set: { generation, ...(manifest === undefined ? {} : { manifest }) } },
          },
        })),
        { session, ordered: false },
      );
      // From now on they count: that is news.
      await judgements.updateMany(
        { _id: { $in: moved.map((one) => one._id) } },
        { $set: { untold: true } },
        { session },
      );
      const dead = moved.filter((one) => one.rejudge.from.state === "FAILED");
      if (dead.length > 0) {
        await judgements.bulkWrite(
          dead.map(({ submission, generation, rejudge: { from } }) => ({
            updateOne: {
              filter: { _id: judgementId(submission, from.generation), state: "FAILED" },
              update: { $set: { "deadLetter.redrive": { by, at, generation } } },
            },
          })),
          { session, ordered: false },
        );
      }
    }
    await submissions.updateMany({ rejudge: id }, { $unset: { rejudge: "" } }, { session });
    const numbers = {
      moved: moved.length,
      superseded: all.length - moved.length,
      kept: rejudge.selected - all.length,
    };
    const { session: _, ...rest } = rejudge;
    const applied: RejudgeDocument = {
      ...rest,
      state: "APPLIED",
      apply: { by, at, ...numbers },
      closedAt: at,
    };
    await rejudges.replaceOne({ _id: id }, applied, { session });
    crash("rejudge.beforeCommit");
    return { rejudge: applied, moved };
  }

  /**
   * A server that dies leaves its transaction open, and what that has written locked, for a minute. So its session is
   * written down before, and whoever goes on ends it first. A living one that is ended so begins anew; see applyAgain.
   */
  async function applyAlone(session: ClientSession, input: Parameters<Rejudged["apply"]>[0]) {
    const filter = { _id: input.id, state: "APPLYING" } as const;
    const before = await rejudges.findOne(filter);
    if (before === null) return undefined;
    if (before.session !== undefined) {
      // Without the right to: the database ends it by itself.
      const admin = client.db("admin");
      await admin.command({ killSessions: [{ id: before.session }] }).catch(() => undefined);
    }
    await rejudges.updateOne(filter, { $set: { session: session.id?.id } });
    return await session.withTransaction(() => applyWithin(session, input), {
      readConcern: { level: "snapshot" },
      writeConcern: { w: "majority" },
    });
  }

  /** Begins anew when another server's start has ended the session; each waits another while, so that one gets through. */
  async function applyAgain(input: Parameters<Rejudged["apply"]>[0]) {
    for (let go = 1; ; go++) {
      try {
        return await client.withSession((session) => applyAlone(session, input));
      } catch (error) {
        const ended = error instanceof MongoServerError && error.code === INTERRUPTED;
        if (!ended || go === APPLY_TRIES) throw error;
        await setTimeout(Math.random() * APPLY_PAUSE_MS * go);
      }
    }
  }

  return {
    claim: ({ id, submissions: ids }) =>
      guarded(async () => {
        const _id = { $in: [...ids] };
        await submissions.updateMany({ _id, rejudge: { $exists: false } }, { $set: { rejudge: id } });
        const mine = await submissions
          .find({ _id, rejudge: id })
          .project<Pick<SubmissionDocument, "_id">>({ _id: 1 })
          .toArray();
        return new Set(mine.map((one) => one._id));
      }),
    judged: ({ id, submissions: ids }) =>
      guarded(async () => {
        const found = await judgements
          .find({ "rejudge.id": id, submission: { $in: [...ids] } })
          .project<Pick<JudgementDocument, "submission">>({ _id: 0, submission: 1 })
          .toArray();
        return new Set(found.map((one) => one.submission));
      }),
    of: ({ id, submission }) =>
      guarded(async () => (await judgements.findOne({ "rejudge.id": id, submission })) ?? undefined),
    counts: (id) =>
      guarded(async () => {
        const groups = await judgements
          .aggregate<{ _id: JudgementState; count: number }>([
            { $match: { "rejudge.id": id } },
            { $group: { _id: "$state", count: { $sum: 1 } } },
          ])
          .toArray();
        return new Map(groups.map(({ _id, count }) => [_id, count]));
      }),
    anyUnfinished: (id) =>
      guarded(async () => {
        const filter = { "rejudge.id": id, state: { $in: [...UNFINISHED] } };
        return (await judgements.findOne(filter, { projection: { _id: 1 } })) !== null;
      }),
    unfinished: (id, limit) =>
      guarded(() =>
        judgements
          .find({ "rejudge.id": id, state: { $in: [...UNFINISHED] } })
          .limit(limit)
          .toArray(),
      ),
    changes: (id) =>
      guarded(async () => {
        const groups = await judgements
          .aggregate<{ _id: { from: string; to: string }; count: number }>([
            { $match: { "rejudge.id": id, state: "FINISHED" } },
            {
              $group: {
                _id: {
                  from: { $ifNull: ["$rejudge.from.verdict", "$rejudge.from.state"] },
                  to: { $ifNull: ["$result.verdict", "$state"] },
                },
                count: { $sum: 1 },
              },
            },
            { $sort: { count: -1, _id: 1 } },
          ])
          .toArray();
        return groups.map(({ _id, count }) => ({ ..._id, count }));
      }),
    page: ({ id, changedOnly, after, first }) =>
      guarded(() =>
        judgements
          .find({
            "rejudge.id": id,
            ...(after === undefined ? {} : { submission: { $gt: after } }),
            ...(changedOnly
              ? {
                  state: "FINISHED",
                  $expr: { $ne: ["$result.verdict", "$rejudge.from.verdict"] },
                }
              : {}),
          })
          .hint({ "rejudge.id": 1, submission: 1 })
          .sort({ submission: 1 })
          .limit(first)
          .toArray()
          .then((found) => found as RejudgedDocument[]),
      ),
    apply: (input) => guarded(() => applyAgain(input)),
    release: (id) =>
      guarded(async () => {
        await submissions.updateMany({ rejudge: id }, { $unset: { rejudge: "" } });
      }),
  };
}
