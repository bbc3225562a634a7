import { isJury } from "../auth.ts";
import { orCoded } from "../coded.ts";
import { type SubmissionView, viewOf } from "../submissionview.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { NOT_JURY, notDead } from "./redrivedeadletters.ts";
import { findSubmission, Submission } from "./submission.ts";
import { errorType, resultType } from "./usererror.ts";

const Success = builder
  .objectRef<{ readonly submission: SubmissionView }>("DiscardDeadLetterSuccess")
  .implement({ fields: (t) => ({ submission: t.expose("submission", { type: Submission }) }) });

const Result = builder.unionType("DiscardDeadLetterResult", {
  types: [
    Success,
    errorType("FORBIDDEN"),
    errorType("INPUT_INVALID"),
    errorType("SUBMISSION_NOT_FOUND"),
    errorType("NOT_A_DEAD_LETTER"),
    errorType("SERVICE_UNAVAILABLE"),
  ],
  resolveType: resultType("DiscardDeadLetterSuccess"),
});

const REASON_CHARACTERS = 500;

async function discard(context: Context, { id, reason }: { readonly id: string; readonly reason: string }) {
  const { viewer, backbone } = context;
  if (viewer === undefined || !isJury(viewer)) return NOT_JURY;
  const why = reason.trim();
  if (why === "" || why.length > REASON_CHARACTERS) {
    const message = `reason: say in 1 to ${REASON_CHARACTERS} characters why it is laid aside.`;
    return { code: "INPUT_INVALID", message } as const;
  }
  const found = await findSubmission(context, id);
  const outcome =
    found === undefined
      ? ({ type: "unknown" } as const)
      : await backbone.discard({
          submission: found.snapshot.submission._id,
          by: viewer.owner,
          reason: why,
        });
  if (outcome.type === "discarded") return { submission: viewOf(outcome.snapshot) };
  if (outcome.type === "not-dead") return notDead(outcome.snapshot.judgement.state);
  return { code: "SUBMISSION_NOT_FOUND", message: `There is no submission ${id}.` } as const;
}

export const addDiscardDeadLetter = (): void =>
  builder.mutationField("discardDeadLetter", (t) =>
    t.fieldWithInput({
      type: Result,
      authScopes: { authenticated: true },
      description:
        "Lays a dead letter aside: it stays FAILED, with who and why, and is no longer listed. Jury only.",
      typeOptions: { name: "DiscardDeadLetterInput" },
      input: {
        id: t.input.id({ required: true, description: "The submission's id." }),
        reason: t.input.string({ required: true }),
      },
      resolve: (_root, { input }, context) => orCoded(() => discard(context, input)),
    }),
  );
