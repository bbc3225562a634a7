import type { Collection } from "mongodb";
import type { JudgementDocument, SubmissionDocument, SubmissionSnapshot } from "./documents.ts";

/**
 * Up to `first` judgements that count for their submission, with it, in the order in which `read` gives them. Those that
 * count no more, and those whose submission never came to be, are few: it reads on until the page is full. Throws what
 * the driver throws.
 */
export async function readCounting<Place>(
  submissions: Collection<SubmissionDocument>,
  input: {
    readonly first: number;
    readonly after: Place | undefined;
    /** The next ones after this place, so many at most. */
    readonly read: (after: Place | undefined, limit: number) => Promise<readonly JudgementDocument[]>;
    readonly placeOf: (judgement: JudgementDocument) => Place | undefined;
    /** Hears of each that counts no more. */
    readonly superseded?: (judgement: JudgementDocument, by: SubmissionDocument) => Promise<void>;
  },
): Promise<SubmissionSnapshot[]> {
  const { first, read, placeOf, superseded } = input;
  const found: SubmissionSnapshot[] = [];
  let { after } = input;
  while (found.length < first) {
    const wanted = first - found.length;
    const batch = await read(after, wanted);
    const ids = batch.map((one) => one.submission);
    const heads = await submissions.find({ _id: { $in: ids } }).toArray();
    const known = new Map(heads.map((one) => [one._id, one]));
    for (const judgement of batch) {
      const submission = known.get(judgement.submission);
      if (submission?.generation === judgement.generation) found.push({ submission, judgement });
      else if (submission) await superseded?.(judgement, submission);
    }
    const last = batch.at(-1);
    if (last === undefined || batch.length < wanted) break;
    after = placeOf(last);
  }
  return found;
}
