import { judgementId } from "../../shared/ids.ts";
import type { JudgementDocument, SubmissionDocument } from "../store/documents.ts";
import type { Judgements } from "../store/judgements.ts";

/** The next judging of a submission, fresh: to be dispatched by the outbox, with all its tries. */
export const nextJudgement = (
  before: JudgementDocument,
  next: Pick<JudgementDocument, "generation" | "createdAt"> &
    Partial<Pick<JudgementDocument, "lane" | "manifest" | "redriveOf" | "rejudge">>,
): JudgementDocument => ({
  _id: judgementId(before.submission, next.generation),
  submission: before.submission,
  kind: before.kind,
  owner: before.owner,
  ...(before.problem === undefined ? {} : { problem: before.problem }),
  language: before.language,
  lane: before.lane,
  ...(before.contest === undefined ? {} : { contest: before.contest }),
  state: "PENDING",
  dispatch: 0,
  delivery: 0,
  seq: 0,
  dispatchAfter: next.createdAt,
  change: 0,
  tries: [],
  updatedAt: next.createdAt,
  ...next,
});

/**
 * Stores a judging under the first generation that is free. Generations have no gaps, so whoever wants the same one
 * (`isSame`) walks the same way and meets it: of several at once, on any servers, one is made. Throws StoreUnavailable.
 */
export async function insertNext(
  judgements: Pick<Judgements, "insert" | "get">,
  input: {
    readonly submission: SubmissionDocument;
    readonly after: number;
    make(generation: number): JudgementDocument;
    isSame(judgement: JudgementDocument): boolean;
    /** Another unique key than the generation refused it: somebody made the same one under an earlier generation. */
    readonly elsewhere?: () => Promise<JudgementDocument | undefined>;
  },
): Promise<{ readonly judgement: JudgementDocument; readonly made: boolean }> {
  for (let generation = input.after + 1; ; generation++) {
    const wanted = input.make(generation);
    if ((await judgements.insert(wanted)) === "inserted") return { judgement: wanted, made: true };
    const there = await judgements.get(wanted._id);
    const same = there === undefined ? await input.elsewhere?.() : input.isSame(there) ? there : undefined;
    if (same !== undefined) return { judgement: same, made: false };
  }
}
