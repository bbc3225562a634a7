import { judgementId, ProblemId, SubmissionId } from "../../shared/ids.ts";
import { FAULTS } from "../../shared/errors.ts";
import { LanguageId } from "../../shared/language.ts";
import { viewOf } from "../submissionview.ts";
import type { DeadLetterFilter, DeadLetterPlace } from "../store/deadletters.ts";
import type { DeadLetter, SubmissionSnapshot } from "../store/documents.ts";
import { builder } from "./builder.ts";
import { DeadLetterType, type GivenUp, isGivenUp } from "./judgement.ts";
import { page, pageArgs, pageComplexity } from "./page.ts";
import { Submission } from "./submission.ts";

interface Row extends GivenUp {
  readonly snapshot: SubmissionSnapshot;
}

builder.objectField(DeadLetterType, "submission", (t) =>
  t.field({
    type: Submission,
    description: "As it is now.",
    resolve: async (judgement, _args, { store }) => {
      const { snapshot } = judgement as Partial<Row>;
      const found = snapshot ?? (await store.snapshots.get(judgement.submission));
      if (found === undefined) throw new Error(`judgement ${judgement._id} has no submission`);
      return viewOf(found);
    },
  }),
);

const CodeEnum = builder.enumType("FaultCode", {
  description: "Why a judgement could not be judged.",
  values: Object.fromEntries(
    Object.entries(FAULTS).map(([code, description]) => [
      code,
      { value: code as DeadLetter["code"], description },
    ]),
  ),
});

export const DeadLetterFilterInput = builder.inputType("DeadLetterFilter", {
  description: "All given members must fit.",
  fields: (t) => ({
    problem: t.string({ description: "A problem's id." }),
    language: t.string({ description: "A language's id." }),
    code: t.field({ type: CodeEnum }),
    since: t.field({ type: "DateTime", description: "Given up at this time or later." }),
    before: t.field({ type: "DateTime", description: "Given up before this time." }),
  }),
});

/** Undefined for one that fits nothing: what cannot be an id is none. */
export function readFilter(
  filter: typeof DeadLetterFilterInput.$inferInput | null | undefined,
): DeadLetterFilter | undefined {
  const problem = ProblemId.optional().safeParse(filter?.problem ?? undefined);
  const language = LanguageId.optional().safeParse(filter?.language ?? undefined);
  if (!problem.success || !language.success) return undefined;
  return {
    problem: problem.data,
    language: language.data,
    code: filter?.code ?? undefined,
    since: filter?.since ?? undefined,
    before: filter?.before ?? undefined,
  };
}

const cursorOf = ({ deadLetter, submission, generation }: GivenUp): string =>
  `${deadLetter.at.getTime()}_${submission}_${generation}`;

function placeOf(cursor: string): DeadLetterPlace | undefined {
  const [, time, id, generation] = /^(\d{1,15})_(\w+)_(\d{1,5})$/.exec(cursor) ?? [];
  const submission = SubmissionId.safeParse(id);
  if (time === undefined || generation === undefined || !submission.success) return undefined;
  return { at: new Date(Number(time)), id: judgementId(submission.data, Number(generation)) };
}

const Connection = builder.connectionObject({ type: DeadLetterType, name: "DeadLetterConnection" });

export const addDeadLetters = (): void =>
  builder.queryField("deadLetters", (t) =>
    t.field({
      type: Connection,
      authScopes: { jury: true },
      description:
        "Submissions whose judging was given up and waits for a decision, newest first. Jury only.",
      args: {
        filter: t.arg({ type: DeadLetterFilterInput }),
        discarded: t.arg.boolean({
          required: true,
          defaultValue: false,
          description: "Those that were discarded, too.",
        }),
        ...pageArgs(t),
      },
      complexity: pageComplexity,
      resolve: async (_root, { filter, discarded, ...args }, context) =>
        await page<Row>(context, args, cursorOf, async (first, after) => {
          const wanted = readFilter(filter);
          const place = after === undefined ? undefined : placeOf(after);
          if (wanted === undefined || (after !== undefined && place === undefined)) return [];
          const found = await context.store.deadLetters.page({ ...wanted, discarded, after: place, first });
          return found.flatMap((snapshot) =>
            isGivenUp(snapshot.judgement) ? [{ ...snapshot.judgement, snapshot }] : [],
          );
        }),
    }),
  );
