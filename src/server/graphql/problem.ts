import type { ProblemId } from "../../shared/ids.ts";
import type { ProblemDocument } from "../store/documents.ts";
import { builder } from "./builder.ts";
import { juryOnly } from "./juryonly.ts";
import { page, pageArgs, pageComplexity } from "./page.ts";

export const Problem = builder.objectRef<ProblemDocument>("Problem");

builder.node(Problem, {
  description: "A problem that programs can be handed in for. Its hidden tests never leave the server.",
  id: { resolve: ({ _id }) => _id },
  loadOne: async (id, context) => (await context.findProblem(id)) ?? null,
  fields: (t) => ({
    name: t.exposeString("name"),
    timeMs: t.exposeInt("timeMs", {
      description: "CPU time limit of one test, before the language's factor.",
    }),
    memoryMiB: t.exposeInt("memoryMiB"),
    codeKiB: t.exposeInt("codeKiB", { description: "Most that the source files may have together." }),
    testCount: t.exposeInt("testCount"),
    languages: t.stringList({
      nullable: true,
      description: "Ids of the languages that submissions may be in; null: all.",
      resolve: ({ languages }) => languages && [...languages],
    }),
    resource: t.exposeString("resource", {
      nullable: true,
      description: "What its programs need of the machine, such as gpu; null: nothing beyond a processor.",
    }),
    timeLimitIsInferred: t.boolean({
      nullable: true,
      description:
        "Whether the time limit comes of what the package's accepted submissions need; null while they are measured.",
      resolve: ({ timing, inferred }) => (timing === undefined ? inferred !== undefined : null),
    }),
    takenOutAt: t.field({
      type: "DateTime",
      nullable: true,
      description: "Since when no submissions are taken for it; null: they are.",
      resolve: ({ takenOut }) => takenOut?.at,
    }),
    takenOutReason: t.string({
      ...juryOnly,
      description: "Why it was taken out. Jury only.",
      resolve: ({ takenOut }) => takenOut?.reason,
    }),
    importedAt: t.expose("importedAt", { type: "DateTime" }),
  }),
});

builder.queryField("problem", (t) =>
  t.field({
    type: Problem,
    nullable: true,
    authScopes: { authenticated: true },
    description: "One problem; null when there is none with this id.",
    args: { id: t.arg.id({ required: true, description: "The problem's short name." }) },
    resolve: (_root, { id }, context) => context.findProblem(id),
  }),
);

const ProblemConnection = builder.connectionObject({ type: Problem, name: "ProblemConnection" });

builder.queryField("problems", (t) =>
  t.field({
    type: ProblemConnection,
    authScopes: { authenticated: true },
    description: "By id.",
    args: pageArgs(t),
    complexity: pageComplexity,
    resolve: (_root, args, context) =>
      page<ProblemDocument>(
        context,
        args,
        ({ _id }) => _id,
        (first, after) => context.store.problems.page({ first, after: after as ProblemId | undefined }),
      ),
  }),
);
