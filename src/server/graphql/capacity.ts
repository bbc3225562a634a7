import type { ExecutorView, LanguageOffer } from "../fleet.ts";
import type { QueueView } from "../queues.ts";
import { LanguageId, LANGUAGES } from "../../shared/language.ts";
import type { QueueId } from "../../shared/queue.ts";
import { builder } from "./builder.ts";
import { Language } from "./language.ts";
import { LaneWeight, weightsOf } from "./laneweight.ts";
import { LaneEnum } from "./scalars.ts";

/** What the fleet can do and how busy it is: live state, nothing of it is stored. */

const Offer = builder.objectRef<LanguageOffer>("LanguageOffer").implement({
  description: "A language and whether executors offer it now.",
  fields: (t) => ({
    language: t.field({ type: Language, resolve: ({ id }) => LANGUAGES[id] }),
    offered: t.exposeBoolean("offered"),
    versions: t.field({
      type: ["String"],
      description: "Toolchains in use, in their own words.",
      resolve: ({ versions }) => [...versions],
    }),
    reasons: t.field({
      type: ["String"],
      description: "Why executors do not offer it and what would mend it.",
      resolve: ({ reasons }) => [...reasons],
    }),
  }),
});

const languageOf = (queue: QueueId): (typeof LANGUAGES)[LanguageId] | undefined => {
  const language = LanguageId.safeParse(queue);
  return language.success ? LANGUAGES[language.data] : undefined;
};

const Queue = builder.objectRef<QueueView>("Queue").implement({
  description:
    "The jobs of one queue and lane, as they were two to four seconds ago; longer ago when very much waits.",
  fields: (t) => ({
    name: t.exposeString("language", {
      description: "A language's id, or the name of another kind of work.",
    }),
    language: t.field({
      type: Language,
      nullable: true,
      description: "Null for a queue of another kind of work than judging.",
      resolve: ({ language }) => languageOf(language),
    }),
    lane: t.expose("lane", { type: LaneEnum }),
    pending: t.exposeInt("pending", { description: "Stored and not yet in the queue." }),
    waiting: t.exposeInt("waiting", { description: "In the queue, held by no executor." }),
    running: t.exposeInt("running", { description: "Held by an executor." }),
    oldestAt: t.field({
      type: "DateTime",
      nullable: true,
      description: "When the oldest unfinished submission of it came in.",
      resolve: ({ oldestAt }) => oldestAt,
    }),
  }),
});

const ExecutorLanguage = builder
  .objectRef<ExecutorView["languages"][number]>("ExecutorLanguage")
  .implement({ fields: (t) => ({ id: t.exposeID("id"), version: t.exposeString("version") }) });

const NotOffered = builder
  .objectRef<ExecutorView["notOffered"][number]>("NotOffered")
  .implement({ fields: (t) => ({ id: t.exposeID("id"), reason: t.exposeString("reason") }) });

const Running = builder.objectRef<ExecutorView["running"][number]>("RunningJob").implement({
  fields: (t) => ({
    submissionId: t.exposeID("submission"),
    language: t.exposeString("language"),
    since: t.field({ type: "DateTime", resolve: ({ sinceMs }) => new Date(sinceMs) }),
  }),
});

const StateEnum = builder.enumType("ExecutorState", {
  values: Object.fromEntries(
    (["starting", "ready", "unhealthy", "draining", "paused"] as const).map((state) => [
      state.toUpperCase(),
      { value: state },
    ]),
  ),
});

export const Executor = builder.objectRef<ExecutorView>("Executor").implement({
  description: "A process that judges, as it last told about itself.",
  fields: (t) => ({
    name: t.exposeString("executor"),
    pool: t.exposeString("pool"),
    state: t.expose("state", { type: StateEnum }),
    reason: t.exposeString("reason", {
      nullable: true,
      description: "Why it takes no jobs, when UNHEALTHY.",
    }),
    slots: t.exposeInt("slots"),
    mostSlots: t.int({
      description: "As far as `setPool` can raise its slots.",
      resolve: ({ can, slots }) => can?.slots ?? slots,
    }),
    running: t.field({ type: [Running], resolve: ({ running }) => running }),
    languages: t.field({ type: [ExecutorLanguage], resolve: ({ languages }) => languages }),
    notOffered: t.field({ type: [NotOffered], resolve: ({ notOffered }) => notOffered }),
    lanes: t.field({ type: [LaneEnum], resolve: ({ lanes }) => lanes }),
    weights: t.field({
      type: [LaneWeight],
      description: "How often each of them begins a turn.",
      resolve: ({ weights = {} }) => weightsOf(weights),
    }),
    version: t.exposeString("version"),
    startedAt: t.field({ type: "DateTime", resolve: ({ startedAtMs }) => new Date(startedAtMs) }),
    heardAt: t.field({ type: "DateTime", resolve: ({ heardAtMs }) => new Date(heardAtMs) }),
  }),
});

export function addCapacity(): void {
  builder.queryField("languages", (t) =>
    t.field({
      type: [Offer],
      authScopes: { authenticated: true },
      description: "All languages, and for each whether executors offer it now or why not.",
      resolve: (_root, _args, { backbone }) => backbone.languages(),
    }),
  );

  builder.queryField("queues", (t) =>
    t.field({
      type: [Queue],
      authScopes: { authenticated: true },
      description: "How busy each language and lane is.",
      resolve: (_root, _args, { backbone }) => backbone.queues(),
    }),
  );

  builder.queryField("executors", (t) =>
    t.field({
      type: [Executor],
      authScopes: { jury: true },
      description: "Live executors, by name. Jury only.",
      resolve: (_root, _args, { backbone }) => backbone.executors(),
    }),
  );
}
