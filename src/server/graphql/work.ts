import { SubmissionId } from "../../shared/ids.ts";
import { WorkName } from "../../shared/queue.ts";
import { isJury } from "../auth.ts";
import { type JudgementDocument, revisionOf, type WorkDocument } from "../store/documents.ts";
import { type WorkView, workViewOf } from "../workview.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { codedGraphQLError } from "./errors.ts";
import { type GivenUp, isGivenUp, TryRef } from "./judgement.ts";
import { juryOnly } from "./juryonly.ts";
import { page, pageArgs, pageComplexity } from "./page.ts";
import { LaneEnum, StateEnum } from "./scalars.ts";
import { mapUpdates } from "./updates.ts";

const Failure = builder.objectRef<GivenUp>("WorkFailure").implement({
  description: "Why work was given up.",
  fields: (t) => ({
    code: t.string({ resolve: ({ deadLetter }) => deadLetter.code }),
    reason: t.string({ resolve: ({ deadLetter }) => deadLetter.reason }),
    at: t.field({ type: "DateTime", resolve: ({ deadLetter }) => deadLetter.at }),
  }),
});

const File = builder.objectRef<WorkDocument["files"][number]>("WorkFile").implement({
  description: "A file that came with work.",
  fields: (t) => ({
    name: t.exposeString("name"),
    sizeBytes: t.exposeInt("sizeBytes"),
    sha256: t.exposeString("sha256"),
  }),
});

export const Work = builder.objectRef<WorkView>("Work").implement({
  description: "Work of another kind than judging: docs/workloads.md.",
  fields: (t) => ({
    id: t.id({ resolve: ({ work }) => work._id }),
    kind: t.string({ resolve: ({ work }) => work.kind }),
    input: t.field({ type: "JSON", nullable: true, resolve: ({ work }) => work.input }),
    files: t.field({ type: [File], resolve: ({ work }) => [...work.files] }),
    revision: t.int({
      description: "Grows with every stored change: give it to `workUpdated` to go on from here.",
      resolve: ({ judgement }) => revisionOf(judgement),
    }),
    state: t.field({ type: StateEnum, resolve: ({ judgement }) => judgement.state }),
    result: t.field({
      type: "JSON",
      nullable: true,
      description: "What the executor said last; whole once the state is FINISHED.",
      resolve: ({ judgement }) => judgement.result,
    }),
    lane: t.field({ type: LaneEnum, resolve: ({ work }) => work.lane }),
    owner: t.string({ resolve: ({ work }) => work.owner }),
    createdAt: t.field({ type: "DateTime", resolve: ({ work }) => work.createdAt }),
    startedAt: t.field({ type: "DateTime", nullable: true, resolve: ({ judgement }) => judgement.startedAt }),
    finishedAt: t.field({
      type: "DateTime",
      nullable: true,
      resolve: ({ judgement }) => judgement.finishedAt,
    }),
    tries: t.field({
      ...juryOnly,
      type: [TryRef],
      description: "Jury only.",
      resolve: ({ judgement }) => [...judgement.tries],
    }),
    failure: t.field({
      ...juryOnly,
      type: Failure,
      description: "Once FAILED; `redriveWork` has it done again. Jury only.",
      resolve: ({ judgement }): GivenUp | null => givenUp(judgement),
    }),
  }),
});

const givenUp = (judgement: JudgementDocument): GivenUp | null => (isGivenUp(judgement) ? judgement : null);

/** The work with this id, if there is some that the viewer may see. */
export async function findWork({ viewer, store }: Context, id: string): Promise<WorkView | undefined> {
  const parsed = SubmissionId.safeParse(id);
  if (viewer === undefined || !parsed.success) return undefined;
  const snapshot = await store.snapshots.get(parsed.data);
  return snapshot && workViewOf(viewer, snapshot);
}

export const noSuchWork = (id: string) =>
  ({ code: "SUBMISSION_NOT_FOUND", message: `There is no work ${id} that you may see.` }) as const;

const Connection = builder.connectionObject({ type: Work, name: "WorkConnection" });

function addQueries(): void {
  builder.queryField("work", (t) =>
    t.field({
      type: Work,
      nullable: true,
      authScopes: { authenticated: true },
      description:
        "Work of another kind than judging; null when there is none with this id that you may see.",
      args: { id: t.arg.id({ required: true }) },
      resolve: async (_root, { id }, context) => await findWork(context, id),
    }),
  );
  builder.queryField("works", (t) =>
    t.field({
      type: Connection,
      authScopes: { authenticated: true },
      description: "Work of one kind, newest first. Participants see their own, the jury all.",
      args: {
        kind: t.arg.string({ required: true }),
        state: t.arg({ type: StateEnum }),
        ...pageArgs(t),
      },
      complexity: pageComplexity,
      resolve: async (_root, { kind, state, ...args }, context) => {
        const { viewer, store } = context;
        if (viewer === undefined) throw new Error("authScopes let nobody in without a key");
        return await page<WorkView>(
          context,
          args,
          ({ work }) => work._id,
          async (first, after) => {
            const before = SubmissionId.optional().safeParse(after);
            if (!before.success || !WorkName.safeParse(kind).success) return [];
            const owner = isJury(viewer) ? {} : { owner: viewer.owner };
            const filter = { kind, state: state ?? undefined, before: before.data, first, ...owner };
            const found = await store.snapshots.page(filter);
            return found.flatMap((snapshot) => workViewOf(viewer, snapshot) ?? []);
          },
        );
      },
    }),
  );
}

/** As `verdictUpdated`: the current state, then every newer one, until the final one. */
async function follow(context: Context, id: string, afterRevision: number | undefined) {
  const { viewer } = context;
  const found = await findWork(context, id);
  if (found === undefined || viewer === undefined) throw codedGraphQLError(noSuchWork(id));
  return mapUpdates(context.backbone.feed.watch(found.work._id, afterRevision), {
    each: async (snapshot) => {
      const view = workViewOf(viewer, snapshot);
      if (view !== undefined && (await context.stillAllowed())) return view;
      throw codedGraphQLError({ code: "UNAUTHENTICATED", message: "The API key has been revoked." });
    },
  });
}

export function addWork(): void {
  addQueries();
  builder.subscriptionField("workUpdated", (t) =>
    t.field({
      type: Work,
      authScopes: { authenticated: true },
      description: "The work now, then each time something newer is stored, as `verdictUpdated` does.",
      args: {
        workId: t.arg.id({ required: true }),
        afterRevision: t.arg.int({ description: "Only what is newer than this revision." }),
      },
      subscribe: (_root, { workId, afterRevision }, context) =>
        follow(context, workId, afterRevision ?? undefined),
      resolve: (view) => view,
    }),
  );
}
