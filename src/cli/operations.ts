import { z } from "zod";
import { Verdict } from "../shared/verdict.ts";

/** Documents that the command line sends, each with the schema of its answer. */
export interface Operation<Data> {
  readonly query: string;
  readonly data: z.ZodType<Data>;
}

export const operation = <Data>(query: string, data: z.ZodType<Data>): Operation<Data> => ({ query, data });

const State = z.enum(["PENDING", "QUEUED", "RUNNING", "FINISHED", "FAILED", "CANCELLED"]);

const TestView = z.object({
  name: z.string(),
  verdict: Verdict,
  cpuMs: z.number(),
  memoryKiB: z.number(),
  judgeMessage: z.string().nullish(),
  teamMessage: z.string().nullish(),
});
export type TestView = z.infer<typeof TestView>;

const GroupView = z.object({
  name: z.string(),
  verdict: Verdict,
  score: z.number().nullable(),
  maxScore: z.number().nullable(),
});

export const SubmissionView = z.object({
  id: z.string(),
  revision: z.int(),
  state: State,
  verdict: Verdict.nullable(),
  owner: z.string(),
  problem: z.object({ id: z.string(), name: z.string() }).nullable(),
  language: z.object({ id: z.string(), name: z.string() }),
  createdAt: z.string(),
  testsDone: z.int(),
  testsTotal: z.int(),
  cpuMs: z.number().nullable(),
  memoryKiB: z.number().nullable(),
  score: z.number().nullable(),
  groups: z.array(GroupView),
  compile: z
    .object({ ok: z.boolean(), message: z.string(), cached: z.boolean(), wallMs: z.number() })
    .nullable(),
  tests: z.array(TestView),
  judgement: z.object({
    generation: z.int(),
    deadLetter: z.object({ code: z.string(), reason: z.string() }).nullish(),
  }),
});
export type SubmissionView = z.infer<typeof SubmissionView>;

export const isFinal = (view: SubmissionView): boolean =>
  view.state === "FINISHED" || view.state === "FAILED" || view.state === "CANCELLED";

/** `judge`: with what only the jury may ask for. */
const fields = `
  id revision state verdict owner createdAt testsDone testsTotal cpuMs memoryKiB score
  groups { name verdict score maxScore }
  problem { id name } language { id name }
  compile { ok message cached wallMs }
  tests { name verdict cpuMs memoryKiB judgeMessage teamMessage }
  judgement { generation deadLetter { code reason } }`;

export const SUBMISSION = operation(
  `query Submission($id: ID!) { submission(id: $id) { ${fields} } }`,
  z.object({ submission: SubmissionView.nullable() }),
);

export const WATCH = operation(
  `subscription Watch($id: ID!, $afterRevision: Int) {
    verdictUpdated(submissionId: $id, afterRevision: $afterRevision) { ${fields} }
  }`,
  z.object({ verdictUpdated: SubmissionView }),
);

export const Refusal = z.object({
  code: z.string(),
  message: z.string(),
  retryAfterMs: z.int().nullish(),
});

export const SUBMIT = operation(
  `mutation Submit($input: SubmitSubmissionInput!) {
    submitSubmission(input: $input) {
      ... on SubmitSubmissionSuccess { replayed submission { ${fields} } }
      ... on UserError { code message }
      ... on RateLimited { retryAfterMs }
      ... on TooManyUnfinished { retryAfterMs }
      ... on QueueSaturated { retryAfterMs }
      ... on ServiceUnavailable { retryAfterMs }
    }
  }`,
  z.object({
    submitSubmission: z.union([z.object({ replayed: z.boolean(), submission: SubmissionView }), Refusal]),
  }),
);

const FindingView = z.object({
  severity: z.string(),
  file: z.string(),
  line: z.int().nullable(),
  message: z.string(),
  expected: z.string().nullable(),
});
export type FindingView = z.infer<typeof FindingView>;

const ProblemView = z.object({
  id: z.string(),
  name: z.string(),
  timeMs: z.int(),
  memoryMiB: z.int(),
  testCount: z.int(),
  /** Null while its time limit is measured. */
  timeLimitIsInferred: z.boolean().nullish(),
});
export type ProblemView = z.infer<typeof ProblemView>;

export const PROBLEM = operation(
  `query Problem($id: ID!) { problem(id: $id) { id name timeMs memoryMiB testCount timeLimitIsInferred } }`,
  z.object({ problem: ProblemView.nullable() }),
);

const findingFields = "severity file line message expected";

export const IMPORT = operation(
  `mutation Import($input: ImportProblemInput!) {
    importProblem(input: $input) {
      ... on ImportProblemSuccess {
        problem { id name timeMs memoryMiB testCount timeLimitIsInferred }
        warnings { ${findingFields} }
      }
      ... on UserError { code message }
      ... on ServiceUnavailable { retryAfterMs }
      ... on PackageRefused { findings { ${findingFields} } }
    }
  }`,
  z.object({
    importProblem: z.union([
      z.object({ problem: ProblemView, warnings: z.array(FindingView) }),
      Refusal.extend({ findings: z.array(FindingView).optional() }),
    ]),
  }),
);

const ProblemPage = z.object({
  edges: z.array(z.object({ node: ProblemView })),
  pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() }),
});
export type ProblemPage = z.infer<typeof ProblemPage>;

export const PROBLEMS = operation(
  `query Problems($after: String) {
    problems(first: 100, after: $after) {
      edges { node { id name timeMs memoryMiB testCount } }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({ problems: ProblemPage }),
);

export const LANGUAGES = operation(
  `query Languages { languages { language { id name } offered versions reasons } }`,
  z.object({
    languages: z.array(
      z.object({
        language: z.object({ id: z.string(), name: z.string() }),
        offered: z.boolean(),
        versions: z.array(z.string()),
        reasons: z.array(z.string()),
      }),
    ),
  }),
);

export const QUEUES = operation(
  `query Queues { queues { name lane pending waiting running oldestAt } }`,
  z.object({
    queues: z.array(
      z.object({
        name: z.string(),
        lane: z.string(),
        pending: z.int(),
        waiting: z.int(),
        running: z.int(),
        oldestAt: z.string().nullable(),
      }),
    ),
  }),
);

export const POOLS = operation(
  `query Pools {
    pools {
      name executors ready slots busy waiting arrivalsPerSecond serviceMs
      leastExecutors mostExecutors targetWaitSeconds coolDownSeconds desiredExecutors
    }
  }`,
  z.object({
    pools: z.array(
      z.object({
        name: z.string(),
        executors: z.int(),
        ready: z.int(),
        slots: z.int(),
        busy: z.int(),
        waiting: z.number(),
        arrivalsPerSecond: z.number(),
        serviceMs: z.number().nullable(),
        leastExecutors: z.int(),
        mostExecutors: z.int(),
        targetWaitSeconds: z.number(),
        coolDownSeconds: z.number(),
        desiredExecutors: z.int(),
      }),
    ),
  }),
);

export const EXECUTORS = operation(
  `query Executors {
    executors {
      name pool state reason slots version heardAt
      languages { id } lanes running { submissionId language since } notOffered { id reason }
    }
  }`,
  z.object({
    executors: z.array(
      z.object({
        name: z.string(),
        pool: z.string(),
        state: z.string(),
        reason: z.string().nullable(),
        slots: z.int(),
        version: z.string(),
        heardAt: z.string(),
        languages: z.array(z.object({ id: z.string() })),
        lanes: z.array(z.string()),
        running: z.array(z.object({ submissionId: z.string(), language: z.string(), since: z.string() })),
        notOffered: z.array(z.object({ id: z.string(), reason: z.string() })),
      }),
    ),
  }),
);
