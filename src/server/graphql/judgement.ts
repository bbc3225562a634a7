import type { DeadLetter, JudgementDocument, Try } from "../store/documents.ts";
import { resultsOf } from "../submissionview.ts";
import { builder } from "./builder.ts";
import { juryOnly } from "./juryonly.ts";
import { LaneEnum, StateEnum, VerdictEnum } from "./scalars.ts";

export interface GivenUp extends JudgementDocument {
  readonly deadLetter: DeadLetter;
}

export const isGivenUp = (judgement: JudgementDocument): judgement is GivenUp =>
  judgement.deadLetter !== undefined;

export const TryRef = builder.objectRef<Try>("Try").implement({
  description: "One executor's go at a judgement's job.",
  fields: (t) => ({
    dispatch: t.exposeInt("dispatch", { description: "How often the job had been published on purpose." }),
    delivery: t.exposeInt("delivery", { description: "How often that one had been handed out." }),
    executor: t.exposeString("executor"),
    startedAt: t.expose("startedAt", { type: "DateTime" }),
    endedAt: t.field({ type: "DateTime", nullable: true, resolve: ({ end }) => end?.at }),
    end: t.string({
      nullable: true,
      description: "finished, fault or released; null while it runs, and for ever when the executor died.",
      resolve: ({ end }) => end?.type,
    }),
    faultCode: t.string({ nullable: true, resolve: ({ end }) => end?.code }),
    message: t.string({ nullable: true, resolve: ({ end }) => end?.message }),
    log: t.string({ nullable: true, resolve: ({ end }) => end?.log }),
  }),
});

const Redrive = builder.objectRef<NonNullable<DeadLetter["redrive"]>>("Redrive").implement({
  description: "That a dead letter was judged again, or is about to be.",
  fields: (t) => ({
    by: t.exposeString("by"),
    at: t.expose("at", { type: "DateTime" }),
    generation: t.exposeInt("generation", {
      nullable: true,
      description: "The judgement that took its place.",
    }),
  }),
});

const Discard = builder.objectRef<NonNullable<DeadLetter["discarded"]>>("Discard").implement({
  description: "That a dead letter was laid aside.",
  fields: (t) => ({
    by: t.exposeString("by"),
    reason: t.exposeString("reason"),
    at: t.expose("at", { type: "DateTime" }),
  }),
});

export const DeadLetterType = builder.objectRef<GivenUp>("DeadLetter");

builder.objectType(DeadLetterType, {
  description: "A judgement that was given up, and why. Jury only.",
  fields: (t) => ({
    code: t.string({ resolve: ({ deadLetter }) => deadLetter.code }),
    reason: t.string({ resolve: ({ deadLetter }) => deadLetter.reason }),
    at: t.field({ type: "DateTime", resolve: ({ deadLetter }) => deadLetter.at }),
    generation: t.exposeInt("generation"),
    tries: t.field({ type: [TryRef], resolve: ({ tries }) => [...tries] }),
    redrive: t.field({ type: Redrive, nullable: true, resolve: ({ deadLetter }) => deadLetter.redrive }),
    discarded: t.field({
      type: Discard,
      nullable: true,
      resolve: ({ deadLetter }) => deadLetter.discarded,
    }),
  }),
});

export const Judgement = builder.objectRef<JudgementDocument>("Judgement").implement({
  description: "One judging of a submission.",
  fields: (t) => ({
    generation: t.exposeInt("generation", { description: "1 for the first judging, then +1 each." }),
    state: t.expose("state", { type: StateEnum }),
    verdict: t.field({
      type: VerdictEnum,
      nullable: true,
      description: "Set once the state is FINISHED.",
      resolve: (judgement) => (judgement.state === "FINISHED" ? resultsOf(judgement).verdict : undefined),
    }),
    lane: t.expose("lane", { type: LaneEnum }),
    createdAt: t.expose("createdAt", { type: "DateTime" }),
    finishedAt: t.expose("finishedAt", { type: "DateTime", nullable: true }),
    tries: t.field({
      ...juryOnly,
      type: [TryRef],
      description: "Jury only.",
      resolve: ({ tries }) => [...tries],
    }),
    deadLetter: t.field({
      ...juryOnly,
      type: DeadLetterType,
      description: "Jury only.",
      resolve: (judgement) => (isGivenUp(judgement) ? judgement : null),
    }),
  }),
});
