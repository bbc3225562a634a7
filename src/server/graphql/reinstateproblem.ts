import { ProblemId } from "../../shared/ids.ts";
import { isJury } from "../auth.ts";
import { orCoded } from "../coded.ts";
import { problemNotFound } from "../intake/check.ts";
import type { ProblemDocument } from "../store/documents.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { Problem } from "./problem.ts";
import { errorType, resultType } from "./usererror.ts";
import { notJury } from "./juryonly.ts";

const Success = builder
  .objectRef<{ readonly problem: ProblemDocument }>("ReinstateProblemSuccess")
  .implement({ fields: (t) => ({ problem: t.expose("problem", { type: Problem }) }) });

const Result = builder.unionType("ReinstateProblemResult", {
  types: [Success, errorType("FORBIDDEN"), errorType("PROBLEM_NOT_FOUND"), errorType("SERVICE_UNAVAILABLE")],
  resolveType: resultType("ReinstateProblemSuccess"),
});

async function reinstate({ viewer, store, clock, log }: Context, id: string) {
  if (viewer === undefined || !isJury(viewer)) {
    return notJury("Problems");
  }
  const parsed = ProblemId.safeParse(id);
  const problem = parsed.success
    ? await store.problems.reinstate(parsed.data, new Date(clock.now()))
    : undefined;
  if (problem === undefined) return problemNotFound(id);
  log.info({ problem: id, by: viewer.owner }, "problem put back");
  return { problem };
}

export const addReinstateProblem = (): void =>
  builder.mutationField("reinstateProblem", (t) =>
    t.fieldWithInput({
      type: Result,
      authScopes: { authenticated: true },
      description:
        "Takes submissions again for a problem that was taken out because its output validator failed. A new import does so, too. Jury only.",
      typeOptions: { name: "ReinstateProblemInput" },
      input: { problem: t.input.string({ required: true, description: "The problem's id." }) },
      resolve: (_root, { input }, context) => orCoded(() => reinstate(context, input.problem)),
    }),
  );
