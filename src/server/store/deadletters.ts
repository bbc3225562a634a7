import type { Collection, Filter } from "mongodb";
import type { JudgementId, ProblemId } from "../../shared/ids.ts";
import { JUDGE_KIND } from "../../shared/judging.ts";
import type { LanguageId } from "../../shared/language.ts";
import type { DeadLetter, JudgementDocument, SubmissionDocument, SubmissionSnapshot } from "./documents.ts";
import { readCounting } from "./countingpage.ts";
import { guarded } from "./unavailable.ts";

export interface DeadLetterFilter {
  /** Of the work; `page` shows judging where nothing is said. */
  readonly kind?: string | undefined;
  readonly problem?: ProblemId | undefined;
  readonly language?: LanguageId | undefined;
  readonly code?: DeadLetter["code"] | undefined;
  /** Given up at this time or later. */
  readonly since?: Date | undefined;
  /** Given up before this time. */
  readonly before?: Date | undefined;
  /** Those that were discarded, too. */
  readonly discarded?: boolean | undefined;
}

/** A place in the order of the list: by time, newest first. */
export interface DeadLetterPlace {
  readonly at: Date;
  readonly id: JudgementId;
}

/** Judgements that were given up and that still count for their submission. */
export interface DeadLetters {
  /** Newest first, those after `after` in that order. */
  page(
    input: DeadLetterFilter & { readonly after?: DeadLetterPlace | undefined; readonly first: number },
  ): Promise<SubmissionSnapshot[]>;
  /** Owners who had a judgement given up for this reason, at that time or later; redriven and discarded ones count. */
  owners(input: { problem: ProblemId; code: DeadLetter["code"]; since: Date }): Promise<readonly string[]>;
  /** How many wait for a decision, by code. */
  counts(): Promise<ReadonlyMap<DeadLetter["code"], number>>;
  /**
   * Writes down who redrives it; the first one stays. False when it is no dead letter, or was discarded and `open`
   * asks for one that was not.
   */
  beginRedrive(input: { id: JudgementId; by: string; at: Date; open: boolean }): Promise<boolean>;
  /** The submission points to the next judgement: this one is history. Repeatable. */
  endRedrive(input: { id: JudgementId; generation: number }): Promise<void>;
  /** False when it is no dead letter, is redriven, or was discarded before. */
  discard(input: { id: JudgementId; by: string; reason: string; at: Date }): Promise<boolean>;
}

const DEAD = { state: "FAILED" } as const;
/** What a rejudge could not judge never counts; the rejudge shows it. */
const COUNTING = { rejudge: { $exists: false } } as const;
const SUPERSEDED = "deadLetter.redrive.generation";
const BY_TIME = { "deadLetter.at": -1, _id: -1 } as const;

function filterOf(input: DeadLetterFilter): Filter<JudgementDocument> {
  const { problem, language, code, since, before } = input;
  const time = { ...(since ? { $gte: since } : {}), ...(before ? { $lt: before } : {}) };
  return {
    ...DEAD,
    ...COUNTING,
    ...(input.kind === undefined ? {} : { kind: input.kind }),
    deadLetter: { $exists: true },
    [SUPERSEDED]: { $exists: false },
    ...(problem === undefined ? {} : { problem }),
    ...(language === undefined ? {} : { language }),
    ...(code === undefined ? {} : { "deadLetter.code": code }),
    ...(since || before ? { "deadLetter.at": time } : {}),
    ...(input.discarded === true ? {} : { "deadLetter.discarded": { $exists: false } }),
  };
}

const placeOf = ({ _id, deadLetter }: JudgementDocument): DeadLetterPlace | undefined =>
  deadLetter && { at: deadLetter.at, id: _id };

const beyond = ({ at, id }: DeadLetterPlace): Filter<JudgementDocument> => ({
  $or: [{ "deadLetter.at": { $lt: at } }, { "deadLetter.at": at, _id: { $lt: id } }],
});

export async function createDeadLetters(deps: {
  readonly submissions: Collection<SubmissionDocument>;
  readonly judgements: Collection<JudgementDocument>;
}): Promise<DeadLetters> {
  const { submissions, judgements } = deps;
  // Small: few judgements are given up.
  await guarded(() => judgements.createIndex(BY_TIME, { partialFilterExpression: DEAD }));

  const endRedrive: DeadLetters["endRedrive"] = ({ id, generation }) =>
    guarded(async () => {
      await judgements.updateOne({ _id: id, ...DEAD }, { $set: { [SUPERSEDED]: generation } });
    });

  function page({
    first,
    after,
    ...input
  }: Parameters<DeadLetters["page"]>[0]): Promise<SubmissionSnapshot[]> {
    const filter = filterOf({ kind: JUDGE_KIND, ...input });
    return readCounting(submissions, {
      first,
      after,
      read: (from, limit) =>
        judgements
          .find(from === undefined ? filter : { $and: [filter, beyond(from)] })
          .sort({ "deadLetter.at": -1, _id: -1 })
          .limit(limit)
          .toArray(),
      placeOf,
      // A crash after the submission was pointed to the next judgement: said here, so that it is not met again.
      superseded: ({ _id: id }, { generation }) => endRedrive({ id, generation }),
    });
  }

  return {
    page: (input) => guarded(() => page(input)),
    endRedrive,
    owners: ({ problem, code, since }) =>
      guarded(() =>
        judgements.distinct("owner", {
          ...DEAD,
          problem,
          "deadLetter.code": code,
          "deadLetter.at": { $gte: since },
        }),
      ),
    counts: () =>
      guarded(async () => {
        const groups = await judgements
          .aggregate<{ _id: DeadLetter["code"]; count: number }>(
            [{ $match: filterOf({}) }, { $group: { _id: "$deadLetter.code", count: { $sum: 1 } } }],
            { hint: BY_TIME },
          )
          .toArray();
        return new Map(groups.map(({ _id, count }) => [_id, count]));
      }),
    beginRedrive: ({ id, by, at, open }) =>
      guarded(async () => {
        const undiscarded = open ? { "deadLetter.discarded": { $exists: false } } : {};
        const dead = { _id: id, ...DEAD, deadLetter: { $exists: true }, ...undiscarded };
        await judgements.updateOne(
          { ...dead, "deadLetter.redrive": { $exists: false } },
          { $set: { "deadLetter.redrive": { by, at } } },
        );
        return (await judgements.countDocuments({ ...dead, "deadLetter.redrive": { $exists: true } })) === 1;
      }),
    discard: ({ id, by, reason, at }) =>
      guarded(async () => {
        const discarded = await judgements.updateOne(
          {
            _id: id,
            ...DEAD,
            ...COUNTING,
            deadLetter: { $exists: true },
            "deadLetter.redrive": { $exists: false },
            "deadLetter.discarded": { $exists: false },
          },
          { $set: { "deadLetter.discarded": { by, reason, at } } },
        );
        return discarded.matchedCount === 1;
      }),
  };
}
