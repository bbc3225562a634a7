import type { CodedError } from "../../shared/errors.ts";
import { isJury } from "../auth.ts";
import { orCoded } from "../coded.ts";
import { type SubmissionView, viewOf } from "../submissionview.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { DeadLetterFilterInput, readFilter } from "./deadletters.ts";
import { findSubmission, Submission } from "./submission.ts";
import { errorType, resultType } from "./usererror.ts";
import { notJury } from "./juryonly.ts";

const OneSuccess = builder
  .objectRef<{ readonly submission: SubmissionView }>("RedriveDeadLetterSuccess")
  .implement({ fields: (t) => ({ submission: t.expose("submission", { type: Submission }) }) });

const OneResult = builder.unionType("RedriveDeadLetterResult", {
  types: [
    OneSuccess,
    errorType("FORBIDDEN"),
    errorType("SUBMISSION_NOT_FOUND"),
    errorType("NOT_A_DEAD_LETTER"),
    errorType("SERVICE_UNAVAILABLE"),
  ],
  resolveType: resultType("RedriveDeadLetterSuccess"),
});

const ManySuccess = builder
  .objectRef<{ readonly redriven: number; readonly more: boolean }>("RedriveDeadLettersSuccess")
  .implement({
    fields: (t) => ({
      redriven: t.exposeInt("redriven", { description: "How many are judged again." }),
      more: t.exposeBoolean("more", { description: "More than the limit fit: ask again." }),
    }),
  });

const ManyResult = builder.unionType("RedriveDeadLettersResult", {
  types: [ManySuccess, errorType("FORBIDDEN"), errorType("INPUT_INVALID"), errorType("SERVICE_UNAVAILABLE")],
  resolveType: resultType("RedriveDeadLettersSuccess"),
});

export const NOT_JURY = notJury("Dead letters");

/** Why a submission is no dead letter, in words. */
export const notDead = (state: string): CodedError => ({
  code: "NOT_A_DEAD_LETTER",
  message:
    state === "FAILED" ? "It is being judged again, or was laid aside." : `It is ${state}, not FAILED.`,
});

async function redriveOne({ viewer, ...context }: Context, id: string) {
  if (viewer === undefined || !isJury(viewer)) return NOT_JURY;
  const found = await findSubmission({ viewer, ...context }, id);
  const outcome =
    found === undefined
      ? ({ type: "unknown" } as const)
      : await context.backbone.redrive({ submission: found.snapshot.submission._id, by: viewer.owner });
  if (outcome.type === "redriven") return { submission: viewOf(outcome.snapshot) };
  if (outcome.type === "not-dead") return notDead(outcome.snapshot.judgement.state);
  return { code: "SUBMISSION_NOT_FOUND", message: `There is no submission ${id}.` } as const;
}

interface Many {
  readonly filter?: typeof DeadLetterFilterInput.$inferInput | null | undefined;
  readonly all?: boolean | null | undefined;
  readonly limit: number;
}

async function redriveMany({ viewer, backbone, limits }: Context, { filter, all, limit }: Many) {
  if (viewer === undefined || !isJury(viewer)) return NOT_JURY;
  const members = Object.values(filter ?? {}).filter((value) => value !== null && value !== undefined);
  if (members.length > 0 === (all === true)) {
    const message = "Give a filter with at least one member, or all: true, and not both.";
    return { code: "INPUT_INVALID", message } as const;
  }
  if (limit < 1 || limit > limits.redrivesPerRequest) {
    return {
      code: "INPUT_INVALID",
      message: `limit is ${limit}; it must be from 1 to ${limits.redrivesPerRequest} (limit redrivesPerRequest).`,
    } as const;
  }
  const wanted = readFilter(filter);
  if (wanted === undefined) return { redriven: 0, more: false };
  return await backbone.redriveMany({ filter: wanted, by: viewer.owner, limit });
}

export function addRedriveDeadLetters(): void {
  builder.mutationField("redriveDeadLetter", (t) =>
    t.fieldWithInput({
      type: OneResult,
      authScopes: { authenticated: true },
      description:
        "Judges a dead letter again, with the problem as it is now: a new generation with all its tries. Jury only.",
      typeOptions: { name: "RedriveDeadLetterInput" },
      input: { id: t.input.id({ required: true, description: "The submission's id." }) },
      resolve: (_root, { input }, context) => orCoded(() => redriveOne(context, input.id)),
    }),
  );

  builder.mutationField("redriveDeadLetters", (t) =>
    t.fieldWithInput({
      type: ManyResult,
      authScopes: { authenticated: true },
      description:
        "Judges many dead letters again, the newest first; discarded ones are left alone. Jury only.",
      typeOptions: { name: "RedriveDeadLettersInput" },
      input: {
        filter: t.input.field({ type: DeadLetterFilterInput }),
        all: t.input.boolean({ description: "Instead of a filter: all that there are." }),
        limit: t.input.int({
          required: true,
          defaultValue: 100,
          description: "At most so many, up to the limit redrivesPerRequest.",
        }),
      },
      resolve: (_root, { input }, context) => orCoded(() => redriveMany(context, input)),
    }),
  );
}
