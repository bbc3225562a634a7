import type { CompileReport, GroupReport, RerunAlone, TestReport } from "../../shared/judging.ts";
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

const RerunReason = builder.enumType("RerunReason", {
  description: "Why a first run was no proof.",
  values: {
    NEAR_LIMIT: { value: "nearLimit", description: "It ended just over the time limit." },
    SATURATED: { value: "saturated", description: "The machine had not the time for it." },
  } as const,
});

const Rerun = builder.objectRef<RerunAlone>("RerunAlone").implement({
  description:
    "That a test's first run was over the time limit, but no proof of it: it was run again with the machine to itself, and that run counts.",
  fields: (t) => ({
    reason: t.expose("reason", { type: RerunReason }),
    firstCpuMs: t.exposeFloat("firstCpuMs", { description: "CPU time of the first run." }),
    firstWallMs: t.exposeFloat("firstWallMs", { description: "Time by the clock of the first run." }),
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
    rerunAlone: t.field({
      type: Rerun,
      nullable: true,
      description: "Set when it was run a second time, since the first was no proof.",
      resolve: ({ rerunAlone }) => rerunAlone,
    }),
    teamMessage: t.exposeString("teamMessage", {
      nullable: true,
      description: "What the problem's validator has to say to the team.",
    }),
    exit: t.string({
      ...juryOnly,
      description: "Exit code or signal. Jury only.",
      resolve: ({ exit }) => exit,
    }),
    transcript: t.string({
      ...juryOnly,
      description:
        "The beginning of what the program (>) and an interactive problem's validator (<) said, of a test that was not accepted. Jury only.",
      resolve: ({ transcript }) => transcript,
    }),
    errorOutput: t.string({
      ...juryOnly,
      description: "What the program wrote to its error output: beginning and end. Jury only.",
      resolve: ({ errorOutput }) => errorOutput,
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
