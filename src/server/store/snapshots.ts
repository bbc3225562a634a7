import type { Collection, Filter } from "mongodb";
import type { ProblemId, SubmissionId } from "../../shared/ids.ts";
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
  readonly language?: LanguageId | undefined;
  readonly state?: JudgementState | undefined;
  /** Of the result; a word of the kind of work. */
  readonly verdict?: string | undefined;
}

/** Submissions with the judgement that counts: what users see. */
export interface Snapshots {
  get(id: SubmissionId): Promise<SubmissionSnapshot | undefined>;
  many(ids: readonly SubmissionId[]): Promise<SubmissionSnapshot[]>;
  /** Newest first, those older than `before`. */
  page(
    input: SnapshotFilter & { readonly before?: SubmissionId | undefined; readonly first: number },
  ): Promise<SubmissionSnapshot[]>;
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
    input: SnapshotFilter & { readonly before?: SubmissionId | undefined; readonly first: number },
  ): Promise<SubmissionSnapshot[]> {
    const filter: Filter<JudgementDocument> = {
      ...(input.owner === undefined ? {} : { owner: input.owner }),
      ...(input.problem === undefined ? {} : { problem: input.problem }),
      ...(input.language === undefined ? {} : { language: input.language }),
      ...(input.state === undefined ? {} : { state: input.state }),
      ...(input.verdict === undefined ? {} : { "result.verdict": input.verdict }),
    };
    const found: SubmissionSnapshot[] = [];
    // Judgement ids start with the submission's, which sort by time. Those that do not count any more, or whose
    // submission never came to be, are rare: read on until the page is full.
    let before: string | undefined = input.before;
    while (found.length < input.first) {
      const wanted = input.first - found.length;
      const batch = await judgements
        .find(
          before === undefined ? filter : ({ ...filter, _id: { $lt: before } } as Filter<JudgementDocument>),
        )
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
  };
}
