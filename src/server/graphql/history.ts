import { builder } from "./builder.ts";
import { Judgement } from "./judgement.ts";
import { juryOnly } from "./juryonly.ts";
import { page, pageArgs, pageComplexity } from "./page.ts";
import { Submission } from "./submission.ts";

const Connection = builder.connectionObject({ type: Judgement, name: "JudgementConnection" });

export const addHistory = (): void =>
  builder.objectField(Submission, "judgements", (t) =>
    t.field({
      ...juryOnly,
      type: Connection,
      description:
        "Every judging, newest first: the one that counts, those before it, and those of rejudges that were not applied. Jury only.",
      args: pageArgs(t),
      complexity: pageComplexity,
      resolve: async ({ snapshot }, args, context) =>
        await page(
          context,
          args,
          ({ generation }) => String(generation),
          async (first, after) => {
            const before = after === undefined ? undefined : Number(after);
            if (before !== undefined && !Number.isInteger(before)) return [];
            const submission = snapshot.submission._id;
            return await context.store.judgements.ofSubmission({ submission, before, first });
          },
        ),
    }),
  );
