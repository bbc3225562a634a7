import { RejudgeId, SubmissionId } from "../../shared/ids.ts";
import { LANGUAGES, LanguageId } from "../../shared/language.ts";
import type { JudgementState } from "../store/documents.ts";
import type { RejudgedDocument, VerdictChange } from "../store/rejudged.ts";
import type { RejudgeDocument, RejudgePriority, RejudgeState } from "../store/rejudges.ts";
import { resultsOf, viewOf } from "../submissionview.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { Judgement } from "./judgement.ts";
import { Language } from "./language.ts";
import { page, pageArgs, pageComplexity } from "./page.ts";
import { Problem } from "./problem.ts";
import { StateEnum, VerdictEnum } from "./scalars.ts";
import { Submission } from "./submission.ts";

const STATES: Readonly<Record<RejudgeState, string>> = {
  SELECTING: "Submissions are being taken in; the first are judged already.",
  JUDGING: "All are taken in, not all are judged.",
  READY: "All are judged: look at what would change, then apply or cancel it.",
  APPLYING: "Being applied.",
  APPLIED: "What it judged counts.",
  CANCELLING: "What still runs for it is being stopped.",
  CANCELLED: "Dropped: what counted before counts.",
};

const RejudgeStateEnum = builder.enumType("RejudgeState", {
  values: Object.fromEntries(
    Object.entries(STATES).map(([state, description]) => [
      state,
      { value: state as RejudgeState, description },
    ]),
  ),
});

const PRIORITIES: Readonly<Record<RejudgePriority, string>> = {
  LOW: "When there is room: delays nobody (lane REJUDGE).",
  NORMAL: "As practice submissions are.",
  HIGH: "As contest submissions are.",
};

export const RejudgePriorityEnum = builder.enumType("RejudgePriority", {
  values: Object.fromEntries(
    Object.entries(PRIORITIES).map(([priority, description]) => [
      priority,
      { value: priority as RejudgePriority, description },
    ]),
  ),
});

const Skipped = builder.objectRef<RejudgeDocument["skipped"]>("RejudgeSkipped").implement({
  description: "Submissions that fit and were left out.",
  fields: (t) => ({
    unfinished: t.exposeInt("unfinished", { description: "They were being judged just then." }),
    cancelled: t.exposeInt("cancelled", { description: "Taken back, and not asked for by id." }),
    busy: t.exposeInt("busy", {
      description: "Part of another rejudge that is neither applied nor cancelled.",
    }),
  }),
});

interface Counts {
  readonly counts: ReadonlyMap<JudgementState, number>;
}

const Progress = builder.objectRef<Counts>("RejudgeProgress").implement({
  description: "The rejudge's judgings by state.",
  fields: (t) => {
    const count = (state: JudgementState) => t.int({ resolve: ({ counts }) => counts.get(state) ?? 0 });
    return {
      pending: count("PENDING"),
      queued: count("QUEUED"),
      running: count("RUNNING"),
      finished: count("FINISHED"),
      failed: count("FAILED"),
      cancelled: count("CANCELLED"),
    };
  },
});

const Change = builder.objectRef<VerdictChange>("VerdictChange").implement({
  description: "How many go from one verdict to another; FAILED and CANCELLED stand for a missing one.",
  fields: (t) => ({
    from: t.exposeString("from"),
    to: t.exposeString("to"),
    count: t.exposeInt("count"),
  }),
});

const From = builder.objectRef<RejudgedDocument["rejudge"]["from"]>("RejudgedFrom").implement({
  description: "What counted when the submission was taken in.",
  fields: (t) => ({
    generation: t.exposeInt("generation"),
    state: t.expose("state", { type: StateEnum }),
    verdict: t.field({
      type: VerdictEnum,
      nullable: true,
      resolve: ({ verdict }) => resultsOf({ result: { verdict, tests: [], testsTotal: 0 } }).verdict,
    }),
  }),
});

const Item = builder.objectRef<RejudgedDocument>("RejudgeItem").implement({
  description: "One submission of a rejudge: what counted, and what would count.",
  fields: (t) => ({
    submission: t.field({
      type: Submission,
      description: "As it is now.",
      resolve: async ({ submission }, _args, { store }) => {
        const found = await store.snapshots.get(submission);
        if (found === undefined) throw new Error(`judgement without its submission ${submission}`);
        return viewOf(found);
      },
    }),
    from: t.field({ type: From, resolve: ({ rejudge }) => rejudge.from }),
    to: t.field({ type: Judgement, resolve: (judgement) => judgement }),
    changed: t.boolean({
      description: "Finished, with another verdict.",
      resolve: (judgement) =>
        judgement.state === "FINISHED" && resultsOf(judgement).verdict !== judgement.rejudge.from.verdict,
    }),
  }),
});

const ItemConnection = builder.connectionObject({ type: Item, name: "RejudgeItemConnection" });

const Applied = builder.objectRef<NonNullable<RejudgeDocument["apply"]>>("RejudgeApplied").implement({
  fields: (t) => ({
    by: t.exposeString("by"),
    at: t.expose("at", { type: "DateTime" }),
    moved: t.exposeInt("moved", { nullable: true, description: "Submissions whose new judgement counts." }),
    superseded: t.exposeInt("superseded", {
      nullable: true,
      description: "Left alone, because somebody had them judged anew meanwhile.",
    }),
    kept: t.exposeInt("kept", {
      nullable: true,
      description: "Left alone, because they could not be judged.",
    }),
  }),
});

const Cancelled = builder.objectRef<NonNullable<RejudgeDocument["cancel"]>>("RejudgeCancelled").implement({
  fields: (t) => ({ by: t.exposeString("by"), at: t.expose("at", { type: "DateTime" }) }),
});

const FilterShown = builder.objectRef<RejudgeDocument["filter"]>("RejudgeSelection").implement({
  description: "Which submissions were asked for.",
  fields: (t) => ({
    problem: t.field({
      type: Problem,
      nullable: true,
      resolve: ({ problem }, _args, context) => (problem === undefined ? null : context.findProblem(problem)),
    }),
    language: t.field({
      type: Language,
      nullable: true,
      resolve: ({ language }) => (language === undefined ? null : LANGUAGES[LanguageId.parse(language)]),
    }),
    contest: t.exposeString("contest", { nullable: true }),
    verdict: t.exposeString("verdict", { nullable: true }),
    owner: t.exposeString("owner", { nullable: true }),
    since: t.expose("since", { type: "DateTime", nullable: true }),
    before: t.expose("before", { type: "DateTime", nullable: true }),
    ids: t.int({
      nullable: true,
      description: "How many were named by id.",
      resolve: ({ ids }) => ids?.length,
    }),
  }),
});

export const Rejudge = builder.objectRef<RejudgeDocument>("Rejudge").implement({
  description: "A set of submissions that is judged again. Until it is applied the old verdicts stand.",
  fields: (t) => ({
    id: t.exposeID("_id"),
    state: t.expose("state", { type: RejudgeStateEnum }),
    by: t.exposeString("by"),
    reason: t.exposeString("reason"),
    filter: t.expose("filter", { type: FilterShown }),
    priority: t.expose("priority", { type: RejudgePriorityEnum }),
    autoApply: t.exposeBoolean("autoApply"),
    createdAt: t.expose("createdAt", { type: "DateTime" }),
    closedAt: t.expose("closedAt", { type: "DateTime", nullable: true }),
    selected: t.exposeInt("selected", { description: "Submissions taken in so far." }),
    skipped: t.expose("skipped", { type: Skipped }),
    applied: t.field({ type: Applied, nullable: true, resolve: ({ apply }) => apply }),
    cancelled: t.field({ type: Cancelled, nullable: true, resolve: ({ cancel }) => cancel }),
    progress: t.field({
      type: Progress,
      complexity: 20,
      resolve: async ({ _id }, _args, { store }) => ({ counts: await store.rejudged.counts(_id) }),
    }),
    changes: t.field({
      type: [Change],
      complexity: 20,
      description: "What changes, summed up; of those that are judged.",
      resolve: ({ _id }, _args, { store }) => store.rejudged.changes(_id),
    }),
    items: t.field({
      type: ItemConnection,
      args: {
        changedOnly: t.arg.boolean({
          required: true,
          defaultValue: false,
          description: "Only those with another verdict than before.",
        }),
        ...pageArgs(t),
      },
      complexity: pageComplexity,
      resolve: async ({ _id }, { changedOnly, ...args }, context) =>
        await page<RejudgedDocument>(
          context,
          args,
          ({ submission }) => submission,
          async (first, cursor) => {
            const after = SubmissionId.optional().safeParse(cursor);
            if (!after.success) return [];
            return await context.store.rejudged.page({ id: _id, changedOnly, after: after.data, first });
          },
        ),
    }),
  }),
});

const Connection = builder.connectionObject({ type: Rejudge, name: "RejudgeConnection" });

export async function findRejudge({ store }: Pick<Context, "store">, id: string) {
  const parsed = RejudgeId.safeParse(id);
  return parsed.success ? await store.rejudges.get(parsed.data) : undefined;
}

export function addRejudges(): void {
  builder.queryField("rejudge", (t) =>
    t.field({
      type: Rejudge,
      nullable: true,
      authScopes: { jury: true },
      description: "One rejudge; null when there is none with this id. Jury only.",
      args: { id: t.arg.id({ required: true }) },
      resolve: async (_root, { id }, context) => (await findRejudge(context, id)) ?? null,
    }),
  );
  builder.queryField("rejudges", (t) =>
    t.field({
      type: Connection,
      authScopes: { jury: true },
      description: "Newest first. Jury only.",
      args: pageArgs(t),
      complexity: pageComplexity,
      resolve: async (_root, args, context) =>
        await page<RejudgeDocument>(
          context,
          args,
          ({ _id }) => _id,
          async (first, cursor) => {
            const after = RejudgeId.optional().safeParse(cursor);
            return after.success ? await context.store.rejudges.page({ after: after.data, first }) : [];
          },
        ),
    }),
  );
}
