import type { CodedError } from "../../shared/errors.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { SubmitInput, submitOne, SubmitResult } from "./submitsubmission.ts";
import { errorType, resultType } from "./usererror.ts";

type Results = Awaited<ReturnType<typeof submitOne>>[];

const Success = builder.objectRef<{ readonly results: Results }>("SubmitSubmissionsSuccess").implement({
  fields: (t) => ({
    results: t.field({
      type: [SubmitResult],
      // Counted once for each, at the mutation.
      complexity: { field: 0, multiplier: 1 },
      description: "One for each submission, in their order.",
      resolve: ({ results }) => results,
    }),
  }),
});

const Result = builder.unionType("SubmitSubmissionsResult", {
  types: [Success, errorType("INPUT_INVALID")],
  resolveType: resultType("SubmitSubmissionsSuccess"),
});

type Handed = readonly (typeof SubmitInput.$inferInput)[];

async function submitAll(
  context: Context,
  submissions: Handed,
): Promise<CodedError | { readonly results: Results }> {
  const most = context.limits.batchSubmissions;
  if (submissions.length === 0 || submissions.length > most) {
    const message = `submissions: there are ${submissions.length}; give 1 to ${most} (limit batchSubmissions).`;
    return { code: "INPUT_INVALID", message };
  }
  return { results: await Promise.all(submissions.map((one) => submitOne(context, one))) };
}

export const addSubmitSubmissions = (): void =>
  builder.mutationField("submitSubmissions", (t) =>
    t.fieldWithInput({
      type: Result,
      authScopes: { authenticated: true },
      description:
        "Hands in several programs at once, each for itself: one that is refused holds up no other, and each has its idempotency key. After a lost answer the same batch again, with keys, changes nothing.",
      typeOptions: { name: "SubmitSubmissionsInput" },
      input: { submissions: t.input.field({ type: [SubmitInput], required: true }) },
      complexity: ({ input }) => ({ field: 1, multiplier: Math.max(1, input.submissions.length) }),
      resolve: (_root, { input }, context) => submitAll(context, input.submissions),
    }),
  );
