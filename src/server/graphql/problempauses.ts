import { ProblemId } from "../../shared/ids.ts";
import type { CodedError } from "../../shared/errors.ts";
import { isJury } from "../auth.ts";
import { orCoded } from "../coded.ts";
import { problemNotFound } from "../intake/check.ts";
import type { PauseDocument } from "../store/pauses.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { juryOnly, notJury } from "./juryonly.ts";
import { readReason } from "./pauses.ts";
import { errorType, resultType } from "./usererror.ts";

const ProblemPause = builder.objectRef<PauseDocument<ProblemId>>("ProblemPause").implement({
  description:
    "A problem of which no further jobs go out: what executors and the queue hold is finished, the rest waits, and submissions are still taken.",
  fields: (t) => ({
    problemId: t.exposeID("_id"),
    reason: t.exposeString("reason"),
    by: t.exposeString("by"),
    at: t.expose("at", { type: "DateTime" }),
    waiting: t.int({
      ...juryOnly,
      description: "Submissions that wait for it to go on.",
      resolve: ({ _id }, _args, { store }) => store.held.parkedCount(_id),
    }),
  }),
});

const resultOf = (mutation: string) =>
  builder.unionType(`${mutation}Result`, {
    types: [
      builder
        .objectRef<{ readonly pauses: readonly PauseDocument<ProblemId>[] }>(`${mutation}Success`)
        .implement({
          fields: (t) => ({
            pauses: t.field({
              type: [ProblemPause],
              description: "All problems that are paused now.",
              resolve: ({ pauses }) => pauses,
            }),
          }),
        }),
      errorType("FORBIDDEN"),
      errorType("INPUT_INVALID"),
      errorType("PROBLEM_NOT_FOUND"),
      errorType("SERVICE_UNAVAILABLE"),
    ],
    resolveType: resultType(`${mutation}Success`),
  });
const PauseResult = resultOf("PauseProblem");
const ResumeResult = resultOf("ResumeProblem");

/** The problem that is meant, for somebody who may. */
async function problemOf(
  context: Context,
  id: string,
): Promise<{ readonly problem: ProblemId; readonly by: string } | CodedError> {
  const { viewer } = context;
  if (viewer === undefined || !isJury(viewer)) return notJury("Problems");
  const problem = ProblemId.safeParse(id);
  if (!problem.success || (await context.findProblem(id)) === undefined) return problemNotFound(id);
  return { problem: problem.data, by: viewer.owner };
}

export function addProblemPauses(): void {
  builder.queryField("problemPauses", (t) =>
    t.field({
      type: [ProblemPause],
      authScopes: { authenticated: true },
      description: "Problems of which no further jobs go out just now, and why.",
      resolve: (_root, _args, { store }) => store.problemPauses.list(),
    }),
  );
  builder.mutationField("pauseProblem", (t) =>
    t.fieldWithInput({
      type: PauseResult,
      authScopes: { authenticated: true },
      description:
        "Lets no further job of a problem go out, within a second and on any server, until `resumeProblem`: while its test data are mended, say. Jury only.",
      typeOptions: { name: "PauseProblemInput" },
      input: {
        problem: t.input.id({ required: true }),
        reason: t.input.string({ required: true, description: "Told to everybody who waits." }),
      },
      resolve: (_root, { input }, context) =>
        orCoded(async () => {
          const given = await problemOf(context, input.problem);
          if ("code" in given) return given;
          const reason = readReason(input.reason);
          if (typeof reason !== "string") return reason;
          const { store, clock, log } = context;
          const { problem, by } = given;
          await store.problemPauses.put({ _id: problem, reason, by, at: new Date(clock.now()) });
          log.warn({ problem, by, reason }, "problem paused");
          return { pauses: await store.problemPauses.list() };
        }),
    }),
  );
  builder.mutationField("resumeProblem", (t) =>
    t.fieldWithInput({
      type: ResumeResult,
      authScopes: { authenticated: true },
      description: "Lets a paused problem go on; nothing happens when it is not paused. Jury only.",
      typeOptions: { name: "ResumeProblemInput" },
      input: { problem: t.input.id({ required: true }) },
      resolve: (_root, { input }, context) =>
        orCoded(async () => {
          const given = await problemOf(context, input.problem);
          if ("code" in given) return given;
          const { store, log } = context;
          if (await store.problemPauses.remove(given.problem)) log.warn(given, "problem goes on");
          return { pauses: await store.problemPauses.list() };
        }),
    }),
  );
}
