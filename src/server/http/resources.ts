import { z } from "zod";
import { RerunAlone, type TestReport } from "../../shared/judging.ts";
import { Lane } from "../../shared/lane.ts";
import { Verdict } from "../../shared/verdict.ts";
import { isJury, type Viewer } from "../auth.ts";
import type { Wait } from "../intake/outcome.ts";
import type { SubmissionView } from "../submissionview.ts";

/** What goes in and out over REST. The OpenAPI document is made from these, so it cannot say anything else. */

export const SubmissionRequest = z
  .strictObject({
    problem: z.string().meta({ description: "The problem's id." }),
    language: z.string().meta({ description: "A language's id, e.g. cpp." }),
    source: z.string().optional().meta({ description: "A program of one file; or give files." }),
    files: z
      .array(z.strictObject({ name: z.string(), content: z.string() }))
      .optional()
      .meta({ description: "All files; or give source." }),
    entryPoint: z
      .string()
      .optional()
      .meta({ description: "Main file or class, where it cannot be told from the files." }),
    contest: z
      .string()
      .optional()
      .meta({ description: "The contest that it is handed in to; without one it is practice." }),
    lane: Lane.optional().meta({
      description: "Jury only; practice where nothing is said, contest in a contest.",
    }),
  })
  .meta({ id: "SubmissionRequest" });

const Test = z.strictObject({
  name: z.string(),
  verdict: Verdict,
  cpuMs: z.number(),
  wallMs: z.number(),
  memoryKiB: z.number(),
  score: z.number().optional().meta({ description: "Of a scoring problem." }),
  teamMessage: z.string().optional(),
  rerunAlone: RerunAlone.optional().meta({
    description: "Set when it was run a second time, alone, since the first was no proof.",
  }),
  exit: z.string().optional().meta({ description: "Jury only." }),
  errorOutput: z.string().optional().meta({ description: "Jury only." }),
  judgeMessage: z.string().optional().meta({ description: "Jury only." }),
  transcript: z.string().optional().meta({ description: "Of an interactive problem. Jury only." }),
});

export const SubmissionResource = z
  .strictObject({
    id: z.string(),
    revision: z.int().meta({ description: "Grows with every stored change; also the ETag." }),
    state: z.enum(["PENDING", "QUEUED", "RUNNING", "FINISHED", "FAILED", "CANCELLED"]),
    verdict: Verdict.nullable().meta({ description: "Set once the state is FINISHED." }),
    problem: z.string(),
    language: z.string(),
    lane: Lane,
    contest: z.string().nullable(),
    owner: z.string(),
    queuePosition: z
      .int()
      .nullable()
      .meta({ description: "While it waits: its place among those of its language and lane, from 1." }),
    estimatedWaitMs: z
      .int()
      .nullable()
      .meta({ description: "While it waits: how long until it starts; null when nobody can tell." }),
    waitReason: z.string().nullable().meta({ description: "Why it waits without an end in sight." }),
    createdAt: z.iso.datetime(),
    startedAt: z.iso.datetime().nullable(),
    finishedAt: z.iso.datetime().nullable(),
    compile: z
      .strictObject({
        ok: z.boolean(),
        message: z.string(),
        cpuMs: z.number(),
        wallMs: z.number(),
        cached: z.boolean(),
      })
      .nullable(),
    testsDone: z.int(),
    testsTotal: z.int().meta({ description: "0 until an executor has told." }),
    tests: z.array(Test),
  })
  .meta({ id: "Submission" });
export type SubmissionResource = z.infer<typeof SubmissionResource>;

export const ProblemDetails = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string().meta({ description: "One of docs/errors.md." }),
    retryAfterMs: z.int().optional(),
    limit: z.int().optional().meta({ description: "The limit that was passed." }),
  })
  .meta({ id: "ProblemDetails", description: "RFC 9457." });

const time = (date: Date | undefined): string | null => date?.toISOString() ?? null;

/** What is not in the lists stays inside. */
const FOR_OWNER = [
  "name",
  "verdict",
  "cpuMs",
  "wallMs",
  "memoryKiB",
  "score",
  "teamMessage",
  "rerunAlone",
] as const satisfies readonly (keyof TestReport)[];
const FOR_JURY = [...FOR_OWNER, "exit", "errorOutput", "judgeMessage", "transcript"] as const;

function testResource(test: TestReport, jury: boolean): z.infer<typeof Test> {
  const shown = new Set<string>(jury ? FOR_JURY : FOR_OWNER);
  return Test.parse(
    Object.fromEntries(
      Object.entries(test).filter(([name, value]) => shown.has(name) && value !== undefined),
    ),
  );
}

export function submissionResource(
  { snapshot, revision, results }: SubmissionView,
  { viewer, wait }: { readonly viewer: Viewer; readonly wait: Wait | undefined },
): SubmissionResource {
  const { submission, judgement } = snapshot;
  const jury = isJury(viewer);
  return {
    id: submission._id,
    revision,
    state: judgement.state,
    verdict: judgement.state === "FINISHED" ? (results.verdict ?? null) : null,
    problem: submission.problem,
    language: submission.language,
    lane: submission.lane,
    contest: submission.contest ?? null,
    owner: submission.owner,
    queuePosition: wait?.position ?? null,
    estimatedWaitMs: wait?.waitMs ?? null,
    waitReason: wait?.reason ?? null,
    createdAt: submission.createdAt.toISOString(),
    startedAt: time(judgement.startedAt),
    finishedAt: time(judgement.finishedAt),
    compile: results.compile ?? null,
    testsDone: results.tests.length,
    testsTotal: results.testsTotal,
    tests: results.tests.map((test) => testResource(test, jury)),
  };
}
