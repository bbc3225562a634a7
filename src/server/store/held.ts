import type { Collection, Filter } from "mongodb";
import { type JudgementId, ProblemId } from "../../shared/ids.ts";
import { Lane } from "../../shared/lane.ts";
import { QueueId } from "../../shared/queue.ts";
import type { JudgementDocument } from "./documents.ts";
import { UNFINISHED_INDEX } from "./judgements.ts";
import { guarded } from "./unavailable.ts";

/** A queue's lane: what jobs wait in line for. */
export interface Place {
  readonly language: QueueId;
  readonly lane: Lane;
}

export type HeldJudgement = Pick<JudgementDocument, "_id" | "submission" | "problem" | "createdAt">;

export type QueuedJudgement = Pick<JudgementDocument, "_id" | "problem" | "dispatchAfter">;

export interface HeldCount extends Place {
  readonly owner: string;
  readonly count: number;
  readonly oldestAt: Date;
}

/**
 * Judgements that are stored and wait for a place in the queue, in one line for each owner, queue and lane. A held one
 * has never been dispatched and is due for the outbox only at the end of time. Every question is answered by an index
 * from its beginning: none takes longer when more are held, owners and counts apart.
 */
export interface Held {
  /** Where anything is held. */
  places(): Promise<Place[]>;
  /** Whose judgements are held there, by name. */
  owners(place: Place): Promise<string[]>;
  /** How many of each owner are out there: published or about to be, and unfinished. */
  out(place: Place): Promise<Map<string, number>>;
  /** The oldest held ones of an owner. */
  oldest(input: { place: Place; owner: string; limit: number }): Promise<HeldJudgement[]>;
  /**
   * Takes held ones out of their line for this server to publish, as their first dispatch; the outbox's when they are
   * still PENDING at `until`. Guarded: of two servers, one gets each. Returns those taken.
   */
  take(input: {
    ids: readonly JudgementId[];
    now: Date;
    until: Date;
    claim: string;
  }): Promise<JudgementDocument[]>;
  /** Lets held ones wait outside of the line until `until`; the outbox then puts them into it again. */
  setAside(input: { ids: readonly JudgementId[]; until: Date }): Promise<void>;
  /** Puts due ones into line that were never dispatched. */
  putInLine(judgements: readonly Pick<JudgementDocument, "_id" | "language" | "lane">[]): Promise<void>;
  /** Takes held ones out of their line until their problem goes on. */
  park(input: { ids: readonly JudgementId[]; problem: ProblemId }): Promise<void>;
  /** Problems for which something is parked. */
  parked(): Promise<ProblemId[]>;
  /** How many are parked for a problem. */
  parkedCount(problem: ProblemId): Promise<number>;
  /** Puts what is parked for a problem into line again, each where its age says. */
  unpark(problem: ProblemId): Promise<void>;
  /** How many of each owner are held in each place. What is parked is none of them. Walks through all that is held: not for every request. */
  counts(): Promise<readonly HeldCount[]>;
  /** What waits in the queue of one place, in the order in which it was published. Bounded by the window. */
  queued(place: Place): Promise<QueuedJudgement[]>;
}

/** So many of what is queued in a place are looked at, the oldest: a wide window must not stall whoever asks. */
export const QUEUED_LOOK = 2_000;

/** Due never: the outbox leaves alone what is held. */
const NEVER = new Date(Date.UTC(9999, 0));

export const heldIn = ({ language, lane }: Place): string => `${language}.${lane}`;

/** Where those wait whose problem is paused: in no line. A queue's name has no colon. */
const PARKED = "problem:";
const parkedFor = (problem: ProblemId): string => `${PARKED}${problem}`;

/** What makes a judgement a parked one. */
export const parked = (
  problem: ProblemId,
): Pick<JudgementDocument, "held" | "dispatch" | "dispatchAfter"> => ({
  held: parkedFor(problem),
  dispatch: 0,
  dispatchAfter: NEVER,
});

/** What makes a judgement a held one. */
export const held = (place: Place): Pick<JudgementDocument, "held" | "dispatch" | "dispatchAfter"> => ({
  held: heldIn(place),
  dispatch: 0,
  dispatchAfter: NEVER,
});

function placeOf(key: string): Place[] {
  const dot = key.lastIndexOf(".");
  const language = QueueId.safeParse(key.slice(0, dot));
  const lane = Lane.safeParse(key.slice(dot + 1));
  return language.success && lane.success ? [{ language: language.data, lane: lane.data }] : [];
}

const HELD_INDEX = { state: 1, held: 1, owner: 1, createdAt: 1 } as const;
const inPlace = (place: Place): Filter<JudgementDocument> => ({ state: "PENDING", held: heldIn(place) });

export async function createHeld(collection: Collection<JudgementDocument>): Promise<Held> {
  await guarded(() =>
    collection.createIndex(HELD_INDEX, {
      partialFilterExpression: { state: "PENDING", held: { $exists: true } },
    }),
  );

  async function published({ language, lane }: Place): Promise<readonly { owner: string; count: number }[]> {
    const groups = await collection
      .aggregate<{ _id: string; count: number }>(
        [
          { $match: { state: { $in: ["QUEUED", "RUNNING"] }, language, lane } },
          { $group: { _id: "$owner", count: { $sum: 1 } } },
        ],
        { hint: UNFINISHED_INDEX },
      )
      .toArray();
    return groups.map(({ _id: owner, count }) => ({ owner, count }));
  }

  /** Few at any time: on their way into the queue. */
  const onTheWay = ({ language, lane }: Place): Promise<{ owner: string }[]> =>
    collection
      .find({ state: "PENDING", dispatchAfter: { $lt: NEVER }, dispatch: { $gt: 0 }, language, lane })
      .hint({ dispatchAfter: 1 })
      .project<{ owner: string }>({ _id: 0, owner: 1 })
      .toArray();

  return {
    places: () =>
      guarded(async () => {
        const keys = await collection.distinct("held", { state: "PENDING", held: { $gt: "" } });
        return keys.flatMap((key) => (key === undefined ? [] : placeOf(key)));
      }),
    owners: (place) => guarded(() => collection.distinct("owner", inPlace(place))),
    out: (place) =>
      guarded(async () => {
        // In this order: one that is published meanwhile is seen twice rather than never.
        const way = await onTheWay(place);
        const counts = new Map((await published(place)).map(({ owner, count }) => [owner, count]));
        for (const { owner } of way) counts.set(owner, (counts.get(owner) ?? 0) + 1);
        return counts;
      }),
    oldest: ({ place, owner, limit }) =>
      guarded(() =>
        collection
          .find({ ...inPlace(place), owner })
          .sort({ createdAt: 1 })
          .limit(limit)
          .project<HeldJudgement>({ submission: 1, problem: 1, createdAt: 1 })
          .toArray(),
      ),
    take: ({ ids, now, until, claim }) =>
      guarded(async () => {
        await collection.updateMany(
          { _id: { $in: [...ids] }, state: "PENDING", held: { $exists: true } },
          {
            $set: { dispatch: 1, dispatchAfter: until, updatedAt: now, claim },
            $unset: { held: "" },
            $inc: { change: 1 },
          },
        );
        return await collection.find({ _id: { $in: [...ids] }, state: "PENDING", claim }).toArray();
      }),
    setAside: ({ ids, until }) =>
      guarded(async () => {
        await collection.updateMany(
          { _id: { $in: [...ids] }, state: "PENDING", held: { $exists: true } },
          { $set: { dispatchAfter: until }, $unset: { held: "" }, $inc: { change: 1 } },
        );
      }),
    putInLine: (judgements) =>
      guarded(async () => {
        for (const [key, group] of Map.groupBy(judgements, heldIn)) {
          await collection.updateMany(
            { _id: { $in: group.map((one) => one._id) }, state: "PENDING", dispatch: 0 },
            { $set: { held: key, dispatchAfter: NEVER }, $inc: { change: 1 } },
          );
        }
      }),
    park: ({ ids, problem }) =>
      guarded(async () => {
        await collection.updateMany(
          { _id: { $in: [...ids] }, problem, state: "PENDING", held: { $exists: true } },
          { $set: { held: parkedFor(problem) }, $inc: { change: 1 } },
        );
      }),
    parked: () =>
      guarded(async () => {
        const keys = await collection.distinct("held", {
          state: "PENDING",
          held: { $gt: PARKED, $lt: `${PARKED}~` },
        });
        return keys.flatMap((key) => ProblemId.safeParse(key?.slice(PARKED.length)).data ?? []);
      }),
    parkedCount: (problem) =>
      guarded(() => collection.countDocuments({ state: "PENDING", held: parkedFor(problem) })),
    unpark: (problem) =>
      guarded(async () => {
        await collection.updateMany({ state: "PENDING", held: parkedFor(problem) }, [
          {
            $set: { held: { $concat: ["$language", ".", "$lane"] }, change: { $add: ["$change", 1] } },
          },
        ]);
      }),
    counts: () =>
      guarded(async () => {
        const groups = await collection
          .aggregate<{ _id: { held: string; owner: string }; count: number; oldestAt: Date }>(
            [
              { $match: { state: "PENDING", held: { $gt: "" } } },
              {
                $group: {
                  _id: { held: "$held", owner: "$owner" },
                  count: { $sum: 1 },
                  oldestAt: { $min: "$createdAt" },
                },
              },
            ],
            { hint: HELD_INDEX },
          )
          .toArray();
        return groups.flatMap(({ _id: { held: key, owner }, count, oldestAt }) =>
          placeOf(key).map((place) => ({ ...place, owner, count, oldestAt })),
        );
      }),
    queued: ({ language, lane }) =>
      guarded(async () => {
        const found = await collection
          .find({ state: "QUEUED", language, lane })
          .hint(UNFINISHED_INDEX)
          .sort({ createdAt: 1 })
          .limit(QUEUED_LOOK)
          .project<QueuedJudgement>({ problem: 1, dispatchAfter: 1 })
          .toArray();
        // Set when it was published, and not touched since.
        return found.toSorted((a, b) => a.dispatchAfter.getTime() - b.dispatchAfter.getTime());
      }),
  };
}
