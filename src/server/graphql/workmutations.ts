import type { CodedError } from "../../shared/errors.ts";
import { isJury } from "../auth.ts";
import { orCoded } from "../coded.ts";
import { type WorkView, workViewOf } from "../workview.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { LaneEnum } from "./scalars.ts";
import { errorType, resultType } from "./usererror.ts";
import { findWork, noSuchWork, Work } from "./work.ts";
import { notJury } from "./juryonly.ts";

interface Shown {
  readonly work: WorkView;
}

const FileInput = builder.inputType("WorkFileInput", {
  fields: (t) => ({
    name: t.string({ required: true, description: "A plain file name." }),
    contentBase64: t.string({ required: true }),
  }),
});

const SubmitResult = builder.unionType("SubmitWorkResult", {
  types: [
    builder.objectRef<Shown & { readonly replayed: boolean }>("SubmitWorkSuccess").implement({
      fields: (t) => ({
        work: t.expose("work", { type: Work }),
        replayed: t.exposeBoolean("replayed", {
          description: "This idempotency key had been used before, with the same content.",
        }),
      }),
    }),
    errorType("INPUT_INVALID"),
    errorType("FILE_NAME_INVALID"),
    errorType("SOURCE_TOO_LARGE"),
    errorType("IDEMPOTENCY_CONFLICT"),
    errorType("FORBIDDEN"),
    errorType("RATE_LIMITED"),
    errorType("TOO_MANY_UNFINISHED"),
    errorType("QUEUE_SATURATED"),
    errorType("SERVICE_UNAVAILABLE"),
  ],
  resolveType: resultType("SubmitWorkSuccess"),
});

const shownAs = (name: string) =>
  builder.objectRef<Shown>(name).implement({ fields: (t) => ({ work: t.expose("work", { type: Work }) }) });

const CancelResult = builder.unionType("CancelWorkResult", {
  types: [
    shownAs("CancelWorkSuccess"),
    errorType("SUBMISSION_NOT_FOUND"),
    errorType("SUBMISSION_FINAL"),
    errorType("SERVICE_UNAVAILABLE"),
  ],
  resolveType: resultType("CancelWorkSuccess"),
});

const RedriveResult = builder.unionType("RedriveWorkResult", {
  types: [
    shownAs("RedriveWorkSuccess"),
    errorType("FORBIDDEN"),
    errorType("SUBMISSION_NOT_FOUND"),
    errorType("NOT_A_DEAD_LETTER"),
    errorType("SERVICE_UNAVAILABLE"),
  ],
  resolveType: resultType("RedriveWorkSuccess"),
});

async function cancel(context: Context, id: string): Promise<CodedError | Shown> {
  const { viewer, backbone } = context;
  const found = await findWork(context, id);
  if (found === undefined || viewer === undefined) return noSuchWork(id);
  const outcome = await backbone.cancel(found.work._id);
  if (outcome.type === "unknown") return noSuchWork(id);
  if (outcome.type === "final")
    return { code: "SUBMISSION_FINAL", message: `It is ${outcome.snapshot.judgement.state} already.` };
  return shown(context, outcome.snapshot, id);
}

async function redrive(context: Context, id: string): Promise<CodedError | Shown> {
  const { viewer, backbone } = context;
  if (viewer === undefined || !isJury(viewer)) return notJury("Dead letters");
  const found = await findWork(context, id);
  if (found === undefined) return noSuchWork(id);
  const outcome = await backbone.redrive({ submission: found.work._id, by: viewer.owner });
  if (outcome.type === "unknown") return noSuchWork(id);
  if (outcome.type === "redriven") return shown(context, outcome.snapshot, id);
  return {
    code: "NOT_A_DEAD_LETTER",
    message: `It is ${outcome.snapshot.judgement.state}, and not given up.`,
  };
}

function shown(
  { viewer }: Context,
  snapshot: Parameters<typeof workViewOf>[1],
  id: string,
): CodedError | Shown {
  const work = viewer && workViewOf(viewer, snapshot);
  return work === undefined ? noSuchWork(id) : { work };
}

export function addWorkMutations(): void {
  builder.mutationField("submitWork", (t) =>
    t.fieldWithInput({
      type: SubmitResult,
      authScopes: { authenticated: true },
      description:
        "Hands in work of another kind than judging, which this server is configured for. The answer comes as soon as it is stored; follow `workUpdated` for the result.",
      typeOptions: { name: "SubmitWorkInput" },
      input: {
        kind: t.input.string({ required: true }),
        input: t.input.field({ type: "JSON", description: "Checked by the kind's own schema." }),
        files: t.input.field({ type: [FileInput] }),
        lane: t.input.field({ type: LaneEnum, description: "Jury only; PRACTICE where nothing is said." }),
        idempotencyKey: t.input.string({ description: "The same key again gives the same work." }),
      },
      resolve: async (_root, { input }, context) => {
        const { viewer, backbone, log } = context;
        if (viewer === undefined) throw new Error("authScopes let nobody in without a key");
        const outcome = await orCoded(() =>
          backbone.submitWork({
            owner: viewer.owner,
            role: viewer.role,
            kind: input.kind,
            input: input.input ?? {},
            files: (input.files ?? []).map(({ name, contentBase64 }) => ({
              name,
              content: Buffer.from(contentBase64, "base64"),
            })),
            lane: input.lane ?? undefined,
            idempotencyKey: input.idempotencyKey ?? undefined,
          }),
        );
        if (!("type" in outcome) || outcome.type !== "accepted") return outcome;
        const { snapshot, replayed } = outcome;
        log.info({ submission: snapshot.submission._id, kind: input.kind, replayed }, "work accepted");
        const one = shown(context, snapshot, snapshot.submission._id);
        return "work" in one ? { ...one, replayed } : one;
      },
    }),
  );
  builder.mutationField("cancelWork", (t) =>
    t.fieldWithInput({
      type: CancelResult,
      authScopes: { authenticated: true },
      description: "Takes work back that has no final state yet. What runs is stopped.",
      typeOptions: { name: "CancelWorkInput" },
      input: { id: t.input.id({ required: true }) },
      resolve: (_root, { input }, context) => orCoded(() => cancel(context, input.id)),
    }),
  );
  builder.mutationField("redriveWork", (t) =>
    t.fieldWithInput({
      type: RedriveResult,
      authScopes: { authenticated: true },
      description: "Has work done again that was given up. Jury only.",
      typeOptions: { name: "RedriveWorkInput" },
      input: { id: t.input.id({ required: true }) },
      resolve: (_root, { input }, context) => orCoded(() => redrive(context, input.id)),
    }),
  );
}
