import { isUtf8 } from "node:buffer";
import { LanguageId, LANGUAGES } from "../../shared/language.ts";
import type { SourceFile } from "../../shared/judging.ts";
import { ContestId, ProblemId, SubmissionId } from "../../shared/ids.ts";
import { isJury } from "../auth.ts";
import { maySee, type SubmissionView, viewOf } from "../submissionview.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { Judgement } from "./judgement.ts";
import { Language } from "./language.ts";
import { page, pageArgs, pageComplexity } from "./page.ts";
import { Problem } from "./problem.ts";
import { Compile, Group, Test } from "./results.ts";
import { LaneEnum, StateEnum, VerdictEnum } from "./scalars.ts";

const isOwnOrJury = ({ snapshot }: SubmissionView, _args: object, { viewer }: Context): boolean =>
  viewer !== undefined && maySee(viewer, snapshot);

const Source = builder.objectRef<SourceFile>("SourceFile").implement({
  description: "A file as it was handed in.",
  fields: (t) => ({
    name: t.exposeString("name"),
    sizeBytes: t.exposeInt("sizeBytes"),
    sha256: t.exposeString("sha256"),
    text: t.string({
      nullable: true,
      complexity: 20,
      description: "The content; null when it is not UTF-8 text.",
      resolve: async ({ sha256 }, _args, { store }) => {
        const bytes = await store.blobs.read(sha256);
        if (bytes === undefined) throw new Error(`source blob ${sha256} is missing`);
        return isUtf8(bytes) ? new TextDecoder().decode(bytes) : null;
      },
    }),
  }),
});

export const Submission = builder.objectRef<SubmissionView>("Submission");

builder.node(Submission, {
  description: "A program that somebody handed in for a problem, and how it was judged.",
  id: { resolve: ({ snapshot }) => snapshot.submission._id },
  loadOne: async (id, context) => (await findSubmission(context, id)) ?? null,
  fields: (t) => ({
    revision: t.exposeInt("revision", {
      description: "Grows with every stored change: give it to `verdictUpdated` to go on from here.",
    }),
    state: t.field({ type: StateEnum, resolve: ({ snapshot }) => snapshot.judgement.state }),
    verdict: t.field({
      type: VerdictEnum,
      nullable: true,
      description: "Set once the state is FINISHED.",
      resolve: ({ snapshot, results }) =>
        snapshot.judgement.state === "FINISHED" ? results.verdict : undefined,
    }),
    score: t.float({
      nullable: true,
      description: "Of a scoring problem, once the state is FINISHED.",
      resolve: ({ snapshot, results }) =>
        snapshot.judgement.state === "FINISHED" ? results.score : undefined,
    }),
    groups: t.field({
      type: [Group],
      description:
        "Groups of tests with their results, where the problem has any, once the state is FINISHED.",
      resolve: ({ results }) => results.groups ?? [],
    }),
    cpuMs: t.float({
      nullable: true,
      description: "Largest CPU time of a test.",
      resolve: ({ results }) => results.cpuMs,
    }),
    memoryKiB: t.float({
      nullable: true,
      description: "Largest memory of a test.",
      resolve: ({ results }) => results.memoryKiB,
    }),
    compile: t.field({ type: Compile, nullable: true, resolve: ({ results }) => results.compile }),
    testsDone: t.int({ resolve: ({ results }) => results.tests.length }),
    testsTotal: t.int({
      description: "0 until an executor has told.",
      resolve: ({ results }) => results.testsTotal,
    }),
    tests: t.field({
      type: [Test],
      args: {
        from: t.arg.int({
          defaultValue: 0,
          required: true,
          description: "Leaves out so many from the front.",
        }),
      },
      resolve: ({ results }, { from }) => results.tests.slice(Math.max(0, from)),
    }),
    problem: t.field({
      type: Problem,
      nullable: true,
      resolve: ({ snapshot }, _args, context) => context.findProblem(snapshot.submission.problem),
    }),
    language: t.field({
      type: Language,
      resolve: ({ snapshot }) => LANGUAGES[snapshot.submission.language],
    }),
    queuePosition: t.int({
      nullable: true,
      complexity: 2,
      description:
        "While it waits: its place among those of its language and lane, 1 for the next one. Seconds old at most.",
      resolve: async ({ snapshot }, _args, { backbone }) =>
        (await backbone.waitOf(snapshot.judgement))?.position,
    }),
    estimatedWaitMs: t.int({
      nullable: true,
      complexity: 2,
      description:
        "While it waits: how long until it starts, from what such jobs took lately; null when nobody can tell.",
      resolve: async ({ snapshot }, _args, { backbone }) =>
        (await backbone.waitOf(snapshot.judgement))?.waitMs,
    }),
    waitReason: t.string({
      nullable: true,
      complexity: 2,
      description: "Why it waits without an end in sight: nobody takes it just now.",
      resolve: async ({ snapshot }, _args, { backbone }) =>
        (await backbone.waitOf(snapshot.judgement))?.reason,
    }),
    lane: t.field({ type: LaneEnum, resolve: ({ snapshot }) => snapshot.submission.lane }),
    contest: t.id({
      nullable: true,
      description: "The contest that it was handed in to.",
      resolve: ({ snapshot }) => snapshot.submission.contest,
    }),
    owner: t.string({ resolve: ({ snapshot }) => snapshot.submission.owner }),
    entryPoint: t.string({ nullable: true, resolve: ({ snapshot }) => snapshot.submission.entryPoint }),
    createdAt: t.field({ type: "DateTime", resolve: ({ snapshot }) => snapshot.submission.createdAt }),
    startedAt: t.field({
      type: "DateTime",
      nullable: true,
      resolve: ({ snapshot }) => snapshot.judgement.startedAt,
    }),
    finishedAt: t.field({
      type: "DateTime",
      nullable: true,
      resolve: ({ snapshot }) => snapshot.judgement.finishedAt,
    }),
    sources: t.field({
      type: [Source],
      nullable: true,
      description: "For the owner and the jury.",
      authScopes: isOwnOrJury,
      unauthorizedResolver: () => null,
      resolve: ({ snapshot }) => [...snapshot.submission.files],
    }),
    judgement: t.field({
      type: Judgement,
      description: "The judging that counts.",
      resolve: ({ snapshot }) => snapshot.judgement,
    }),
  }),
});

/** The submission with this id, if there is one that the viewer may see. */
export async function findSubmission(context: Context, id: string): Promise<SubmissionView | undefined> {
  const parsed = SubmissionId.safeParse(id);
  if (context.viewer === undefined || !parsed.success) return undefined;
  const snapshot = await context.store.snapshots.get(parsed.data);
  return snapshot !== undefined && maySee(context.viewer, snapshot) ? viewOf(snapshot) : undefined;
}

builder.queryField("submission", (t) =>
  t.field({
    type: Submission,
    nullable: true,
    authScopes: { authenticated: true },
    description: "One submission; null when there is none with this id that you may see.",
    args: { id: t.arg.id({ required: true }) },
    resolve: async (_root, { id }, context) => await findSubmission(context, id),
  }),
);

const Filter = builder.inputType("SubmissionFilter", {
  description: "All given members must fit.",
  fields: (t) => ({
    problem: t.string({ description: "A problem's id." }),
    contest: t.string({ description: "A contest's id." }),
    language: t.string({ description: "A language's id." }),
    state: t.field({ type: StateEnum }),
    verdict: t.field({ type: VerdictEnum }),
    owner: t.string({ description: "Jury only; others always see their own." }),
  }),
});

const SubmissionConnection = builder.connectionObject({ type: Submission, name: "SubmissionConnection" });

builder.queryField("submissions", (t) =>
  t.field({
    type: SubmissionConnection,
    authScopes: { authenticated: true },
    description: "Newest first. Participants see their own, the jury all.",
    args: { filter: t.arg({ type: Filter }), ...pageArgs(t) },
    complexity: pageComplexity,
    resolve: async (_root, { filter, ...args }, context) => {
      const { viewer } = context;
      if (viewer === undefined) throw new Error("authScopes let nobody in without a key");
      const owner = isJury(viewer) ? filter?.owner : viewer.owner;
      return await page<SubmissionView>(
        context,
        args,
        ({ snapshot }) => snapshot.submission._id,
        async (first, after) => {
          const before = SubmissionId.optional().safeParse(after);
          const problem = ProblemId.optional().safeParse(filter?.problem ?? undefined);
          const contest = ContestId.optional().safeParse(filter?.contest ?? undefined);
          const language = LanguageId.optional().safeParse(filter?.language ?? undefined);
          // What cannot be an id fits nothing.
          if (!before.success || !problem.success || !contest.success || !language.success) return [];
          const snapshots = await context.store.snapshots.page({
            problem: problem.data,
            contest: contest.data,
            language: language.data,
            state: filter?.state ?? undefined,
            verdict: filter?.verdict ?? undefined,
            owner: owner ?? undefined,
            before: before.data,
            first,
          });
          return snapshots.map(viewOf);
        },
      );
    },
  }),
);
