import type { JudgementDocument, Try } from "../store/documents.ts";
import { builder } from "./builder.ts";
import { juryOnly } from "./juryonly.ts";

const TryRef = builder.objectRef<Try>("Try").implement({
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

const DeadLetter = builder.objectRef<NonNullable<JudgementDocument["deadLetter"]>>("DeadLetter").implement({
  description: "Why a judgement was given up.",
  fields: (t) => ({
    code: t.exposeString("code"),
    reason: t.exposeString("reason"),
    at: t.expose("at", { type: "DateTime" }),
  }),
});

export const Judgement = builder.objectRef<JudgementDocument>("Judgement").implement({
  description: "The judging that counts.",
  fields: (t) => ({
    generation: t.exposeInt("generation", { description: "1 for the first judging, then +1 each." }),
    tries: t.field({
      ...juryOnly,
      type: [TryRef],
      description: "Jury only.",
      resolve: ({ tries }) => [...tries],
    }),
    deadLetter: t.field({
      ...juryOnly,
      type: DeadLetter,
      description: "Jury only.",
      resolve: ({ deadLetter }) => deadLetter,
    }),
  }),
});
