import type { CompileReport, GroupReport, TestReport } from "../../shared/judging.ts";
import { builder } from "./builder.ts";
import { juryOnly } from "./juryonly.ts";
import { VerdictEnum } from "./scalars.ts";

export const Compile = builder.objectRef<CompileReport>("Compile").implement({
  description: "How compiling went.",
  fields: (t) => ({
    ok: t.exposeBoolean("ok"),
    message: t.exposeString("message", { description: "The compiler's words, cut to a limit." }),
    cpuMs: t.exposeFloat("cpuMs"),
    wallMs: t.exposeFloat("wallMs"),
    cached: t.exposeBoolean("cached", { description: "The same sources had been compiled before." }),
  }),
});

export const Test = builder.objectRef<TestReport>("Test").implement({
  description: "One test that has been run.",
  fields: (t) => ({
    name: t.exposeString("name"),
    verdict: t.expose("verdict", { type: VerdictEnum }),
    cpuMs: t.exposeFloat("cpuMs", { description: "CPU time; decides TLE." }),
    wallMs: t.exposeFloat("wallMs", { description: "Time by the clock." }),
    memoryKiB: t.exposeFloat("memoryKiB", { description: "The most that it held at once." }),
    score: t.exposeFloat("score", { nullable: true, description: "Of a scoring problem." }),
    teamMessage: t.exposeString("teamMessage", {
      nullable: true,
      description: "What the problem's validator has to say to the team.",
    }),
    exit: t.string({
      ...juryOnly,
      description: "Exit code or signal. Jury only.",
      resolve: ({ exit }) => exit,
    }),
    judgeMessage: t.string({
      ...juryOnly,
      description: "What the problem's validator has to say to the jury. Jury only.",
      resolve: ({ judgeMessage }) => judgeMessage,
    }),
  }),
});

export const Group = builder.objectRef<GroupReport>("TestGroup").implement({
  description: "A group of tests, as far as its tests were run.",
  fields: (t) => ({
    name: t.exposeString("name", { description: 'E.g. "secret/group1"; empty for all tests together.' }),
    verdict: t.expose("verdict", { type: VerdictEnum }),
    score: t.exposeFloat("score", { nullable: true, description: "Of a scoring problem." }),
    maxScore: t.exposeFloat("maxScore", {
      nullable: true,
      description: "The most that it can give; null without an end.",
    }),
  }),
});
