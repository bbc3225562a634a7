import type { SubmissionSnapshot } from "../store/documents.ts";
import { resultsOf } from "../submissionview.ts";
import { builder } from "./builder.ts";
import { Submission } from "./submission.ts";

const STAGES = {
  ACCEPTED: "It was handed in; of a later judging: that was asked for.",
  PUBLISHED: "Its job was in the queue.",
  CLAIMED: "An executor began. Each go is shown; the last one counts.",
  COMPILED: "Its program was ready.",
  TESTED: "A test was done; `test` names it.",
  RECORDED: "Its final state was stored.",
  DELIVERED: "The final state was first given to somebody who waited for it (`verdictUpdated`, a long poll).",
} as const;
type Stage = keyof typeof STAGES;

interface Step {
  readonly stage: Stage;
  readonly at: Date;
  readonly test?: string | undefined;
}

const StageEnum = builder.enumType("TimelineStage", {
  values: Object.fromEntries(
    Object.entries(STAGES).map(([stage, description]) => [stage, { value: stage as Stage, description }]),
  ),
});

const StepRef = builder.objectRef<Step>("TimelineStep").implement({
  fields: (t) => ({
    stage: t.expose("stage", { type: StageEnum }),
    at: t.expose("at", { type: "DateTime" }),
    test: t.string({ nullable: true, resolve: ({ test }) => test }),
  }),
});

/**
 * What happened to the judgement that counts, from what is stored of it anyway. Times of executors are by their clocks,
 * so steps of different machines can be out of order by the difference.
 */
export function timelineOf({ judgement }: SubmissionSnapshot): Step[] {
  const { times, tries } = judgement;
  const steps: Step[] = [{ stage: "ACCEPTED", at: judgement.createdAt }];
  if (times !== undefined) steps.push({ stage: "PUBLISHED", at: new Date(times.publishedAtMs) });
  const starts = tries.map((one) => one.startedAt);
  // A quick job has no start of its own: its last word says when it began.
  if (times !== undefined && tries.length < 2)
    steps.push({ stage: "CLAIMED", at: new Date(times.claimedAtMs) });
  else steps.push(...starts.map((at) => ({ stage: "CLAIMED" as const, at })));
  const [compiled, ...tested] = times?.stepsAtMs ?? [];
  if (compiled !== undefined) steps.push({ stage: "COMPILED", at: new Date(compiled) });
  const { tests } = resultsOf(judgement);
  steps.push(
    ...tested.map((at, i) => ({ stage: "TESTED" as const, at: new Date(at), test: tests[i]?.name })),
  );
  if (judgement.finishedAt) steps.push({ stage: "RECORDED", at: judgement.finishedAt });
  if (judgement.deliveredAt) steps.push({ stage: "DELIVERED", at: judgement.deliveredAt });
  return steps;
}

export const addTimeline = (): void =>
  builder.objectField(Submission, "timeline", (t) =>
    t.field({
      type: [StepRef],
      description: "When what happened to it, of the judging that counts.",
      resolve: ({ snapshot }) => timelineOf(snapshot),
    }),
  );
