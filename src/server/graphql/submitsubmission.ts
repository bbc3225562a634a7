import { type SubmissionView, viewOf } from "../submissionview.ts";
import { submitAs } from "../submitas.ts";
import { orCoded } from "../coded.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { LaneEnum } from "./scalars.ts";
import { Submission } from "./submission.ts";
import { errorType, resultType } from "./usererror.ts";

interface Submitted {
  readonly submission: SubmissionView;
  readonly replayed: boolean;
  readonly delayedFeedback: boolean;
}

const Success = builder.objectRef<Submitted>("SubmitSubmissionSuccess").implement({
  fields: (t) => ({
    submission: t.expose("submission", { type: Submission }),
    replayed: t.exposeBoolean("replayed", {
      description:
        "This idempotency key had been used before, with the same content: nothing new was stored.",
    }),
    delayedFeedback: t.exposeBoolean("delayedFeedback", {
      description:
        "Much is to be judged: the submission will wait longer than usual, and its live updates come seldom. `submission` says where it stands.",
    }),
  }),
});

export const SubmitResult = builder.unionType("SubmitSubmissionResult", {
  types: [
    Success,
    errorType("INPUT_INVALID"),
    errorType("PROBLEM_NOT_FOUND"),
    errorType("PROBLEM_TAKEN_OUT"),
    errorType("LANGUAGE_NOT_OFFERED"),
    errorType("SOURCE_EMPTY"),
    errorType("SOURCE_TOO_LARGE"),
    errorType("TOO_MANY_FILES"),
    errorType("FILE_NAME_INVALID"),
    errorType("IDEMPOTENCY_CONFLICT"),
    errorType("FORBIDDEN"),
    errorType("RATE_LIMITED"),
    errorType("TOO_MANY_UNFINISHED"),
    errorType("QUEUE_SATURATED"),
    errorType("CONTEST_NOT_FOUND"),
    errorType("CONTEST_NOT_STARTED"),
    errorType("CONTEST_OVER"),
    errorType("NOT_A_PARTICIPANT"),
    errorType("PROBLEM_NOT_IN_CONTEST"),
    errorType("SERVICE_UNAVAILABLE"),
  ],
  resolveType: resultType("SubmitSubmissionSuccess"),
});

export const FileInput = builder.inputType("SourceFileInput", {
  fields: (t) => ({
    name: t.string({ required: true, description: "A plain file name, e.g. main.cpp." }),
    content: t.string({ required: true }),
  }),
});

export const SubmitInput = builder.inputType("SubmitSubmissionInput", {
  fields: (t) => ({
    problem: t.string({ required: true, description: "The problem's id." }),
    language: t.string({
      required: true,
      description: "A language's id, as in `languages`; e.g. cpp, python, java.",
    }),
    source: t.string({ description: "A program of one file; or give `files`." }),
    files: t.field({ type: [FileInput], description: "All files; or give `source`." }),
    entryPoint: t.string({
      description: "Main file or class, where it cannot be told from the files.",
    }),
    allTests: t.boolean({
      description:
        "Jury only: runs on after a rejected test, which is how a problem's own submissions are checked. The verdict is the same.",
    }),
    contest: t.string({
      description: "The contest that it is handed in to; without one it is practice.",
    }),
    lane: t.field({
      type: LaneEnum,
      description: "Jury only; PRACTICE where nothing is said, CONTEST in a contest.",
    }),
    idempotencyKey: t.string({
      description: "Of your choice: the same key again gives the same submission, also after a lost answer.",
    }),
  }),
});

/** Hands in one program; its outcome as a member of the result union. */
export async function submitOne(context: Context, input: typeof SubmitInput.$inferInput) {
  const { viewer } = context;
  if (viewer === undefined) throw new Error("authScopes let nobody in without a key");
  const outcome = await orCoded(() => submitAs(context, viewer, input));
  return "type" in outcome && outcome.type === "accepted"
    ? {
        submission: viewOf(outcome.snapshot),
        replayed: outcome.replayed,
        delayedFeedback: outcome.delayedFeedback ?? false,
      }
    : outcome;
}

export const addSubmitSubmission = (): void =>
  builder.mutationField("submitSubmission", (t) =>
    t.field({
      type: SubmitResult,
      authScopes: { authenticated: true },
      description:
        "Hands in a program. The answer comes as soon as it is stored; follow `verdictUpdated` for the verdict.",
      args: { input: t.arg({ type: SubmitInput, required: true }) },
      resolve: (_root, { input }, context) => submitOne(context, input),
    }),
  );
