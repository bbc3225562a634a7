import { type SubmissionView, viewOf } from "../submissionview.ts";
import type { CodedError } from "../../shared/errors.ts";
import { orCoded } from "../coded.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { findSubmission, Submission } from "./submission.ts";
import { errorType, resultType } from "./usererror.ts";

const Success = builder
  .objectRef<{ readonly submission: SubmissionView }>("CancelSubmissionSuccess")
  .implement({ fields: (t) => ({ submission: t.expose("submission", { type: Submission }) }) });

const Result = builder.unionType("CancelSubmissionResult", {
  types: [
    Success,
    errorType("SUBMISSION_NOT_FOUND"),
    errorType("SUBMISSION_FINAL"),
    errorType("SERVICE_UNAVAILABLE"),
  ],
  resolveType: resultType("CancelSubmissionSuccess"),
});

async function cancel(context: Context, id: string): Promise<CodedError | { submission: SubmissionView }> {
  const found = await findSubmission(context, id);
  const outcome =
    found === undefined
      ? ({ type: "unknown" } as const)
      : await context.backbone.cancel(found.snapshot.submission._id);
  if (outcome.type === "cancelled") return { submission: viewOf(outcome.snapshot) };
  if (outcome.type === "final") {
    return { code: "SUBMISSION_FINAL", message: `It is ${outcome.snapshot.judgement.state} already.` };
  }
  return { code: "SUBMISSION_NOT_FOUND", message: `There is no submission ${id} that you may see.` };
}

export const addCancelSubmission = (): void =>
  builder.mutationField("cancelSubmission", (t) =>
    t.fieldWithInput({
      type: Result,
      authScopes: { authenticated: true },
      description: "Takes a submission back that has no final state yet. A program that runs is stopped.",
      typeOptions: { name: "CancelSubmissionInput" },
      input: { id: t.input.id({ required: true }) },
      resolve: (_root, { input }, context) => orCoded(() => cancel(context, input.id)),
    }),
  );
