import type { Collection, Filter } from "mongodb";
import type { ContestId, JudgementId, ProblemId, SubmissionId } from "../../shared/ids.ts";
import { JUDGE_KIND } from "../../shared/judging.ts";
import type { LanguageId } from "../../shared/language.ts";
import { readCounting } from "./countingpage.ts";
import type {
  JudgementDocument,
  JudgementState,
  SubmissionDocument,
  SubmissionSnapshot,
} from "./documents.ts";
import { currentJudgement } from "./judgements.ts";
import { guarded } from "./unavailable.ts";

export interface SnapshotFilter {
  readonly owner?: string | undefined;
  readonly problem?: ProblemId | undefined;
  readonly contest?: ContestId | undefined;
  readonly language?: LanguageId | undefined;
  readonly state?: JudgementState | undefined;
  /** Of the result; a word of the kind of work. */
  readonly verdict?: string | undefined;
  /** Judging where nothing is said. */
  readonly kind?: string | undefined;
}

/** Submissions with the judgement that counts: what users see. */
export interface Snapshots {
  get(id: SubmissionId): Promise<SubmissionSnapshot | undefined>;
  many(ids: readonly SubmissionId[]): Promise<SubmissionSnapshot[]>;
  /** Newest first, those older than `before`, down to `from`; ids sort by time. */
  page(input: SnapshotFilter & SnapshotRange & { readonly first: number }): Promise<SubmissionSnapshot[]>;
  /** Judgings that fit, those that count no more among them; no further than `most`. */
  count(input: SnapshotFilter & SnapshotRange & { readonly most: number }): Promise<number>;
}

interface SnapshotRange {
  readonly before?: SubmissionId | JudgementId | undefined;
  readonly from?: SubmissionId | undefined;
}

function filterOf(input: SnapshotFilter & SnapshotRange): Filter<JudgementDocument> {
  const { owner, problem, contest, language, state, verdict, before, from, kind = JUDGE_KIND } = input;
  return {
    kind,
    ...(owner === undefined ? {} : { owner }),
    ...(problem === undefined ? {} : { problem }),
    ...(contest === undefined ? {} : { contest }),
    ...(language === undefined ? {} : { language }),
    ...(state === undefined ? {} : { state }),
    // Only what is finished has one; said, so that its index is used.
    ...(verdict === undefined ? {} : { state: state ?? "FINISHED", "result.verdict": verdict }),
    // Judgement ids start with the submission's.
    ...(before === undefined && from === undefined
      ? {}
      : {
          _id: {
            ...(before === undefined ? {} : { $lt: before }),
            ...(from === undefined ? {} : { $gte: from }),
          },
        }),
  } as Filter<JudgementDocument>;
}

export function createSnapshots(deps: {
  readonly submissions: Collection<SubmissionDocument>;
  readonly judgements: Collection<JudgementDocument>;
}): Snapshots {
  const { submissions, judgements } = deps;

  async function get(id: SubmissionId): Promise<SubmissionSnapshot | undefined> {
    const submission = await submissions.findOne({ _id: id });
    if (submission === null) return undefined;
    const judgement = await judgements.findOne({ _id: currentJudgement(submission) });
    // Written before its submission and never removed after: missing means a damaged database.
    if (judgement === null) throw new Error(`submission ${id} has no judgement ${submission.generation}`);
    return { submission, judgement };
  }

  async function many(ids: readonly SubmissionId[]): Promise<SubmissionSnapshot[]> {
    const found = await submissions.find({ _id: { $in: [...ids] } }).toArray();
    const current = await judgements.find({ _id: { $in: found.map(currentJudgement) } }).toArray();
    const bySubmission = new Map(current.map((judgement) => [judgement.submission, judgement]));
    return found.flatMap((submission) => {
      const judgement = bySubmission.get(submission._id);
      return judgement === undefined ? [] : [{ submission, judgement }];
    });
  }

  const page = ({
    first,
    before,
    ...input
  }: Parameters<Snapshots["page"]>[0]): Promise<SubmissionSnapshot[]> =>
    readCounting<SubmissionId | JudgementId>(submissions, {
      first,
      after: before,
      read: (after, limit) =>
        judgements
          .find(filterOf({ ...input, before: after }))
          .sort({ _id: -1 })
          .limit(limit)
          .toArray(),
      placeOf: ({ _id }) => _id,
    });

  return {
    get: (id) => guarded(() => get(id)),
    many: (ids) => guarded(() => many(ids)),
    page: (input) => guarded(() => page(input)),
    count: ({ most, ...input }) => guarded(() => judgements.countDocuments(filterOf(input), { limit: most })),
  };
}
