import type { Collection, Filter } from "mongodb";
import type { ContestId, JudgementId, ProblemId, SubmissionId } from "../../shared/ids.ts";
import { JUDGE_KIND } from "../../shared/judging.ts";
import type { LanguageId } from "../../shared/language.ts";
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

  async function page(
    input: SnapshotFilter & SnapshotRange & { readonly first: number },
  ): Promise<SubmissionSnapshot[]> {
    const found: SubmissionSnapshot[] = [];
    // Those that do not count, or whose submission never came to be, are few: read on until the page is full.
    let { before } = input;
    while (found.length < input.first) {
      const wanted = input.first - found.length;
      const batch = await judgements
        .find(filterOf({ ...input, before }))
        .sort({ _id: -1 })
        .limit(wanted)
        .toArray();
      const known = new Map(
        (await submissions.find({ _id: { $in: batch.map((one) => one.submission) } }).toArray()).map(
          (one) => [one._id, one],
        ),
      );
      for (const judgement of batch) {
        const submission = known.get(judgement.submission);
        if (submission?.generation === judgement.generation) found.push({ submission, judgement });
      }
      const last = batch.at(-1);
      if (last === undefined || batch.length < wanted) break;
      before = last._id;
    }
    return found;
  }

  return {
    get: (id) => guarded(() => get(id)),
    many: (ids) => guarded(() => many(ids)),
    page: (input) => guarded(() => page(input)),
    count: ({ most, ...input }) => guarded(() => judgements.countDocuments(filterOf(input), { limit: most })),
  };
}
