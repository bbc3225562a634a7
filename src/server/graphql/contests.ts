import { ContestId } from "../../shared/ids.ts";
import { isJury } from "../auth.ts";
import { orCoded } from "../coded.ts";
import { type ContestInput, createContest, updateContest } from "../contests/keep.ts";
import type { ContestDocument } from "../store/documents.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { juryOnly, notJury } from "./juryonly.ts";
import { page, pageArgs, pageComplexity } from "./page.ts";
import { Problem } from "./problem.ts";
import { errorType, resultType } from "./usererror.ts";

const Rate = builder.objectRef<NonNullable<ContestDocument["rate"]>>("ContestRate").implement({
  description: "How fast a contest takes submissions, all participants together.",
  fields: (t) => ({
    perSecond: t.exposeFloat("perSecond", { description: "Over time, once the burst is used up." }),
    burst: t.exposeInt("burst", { description: "At once, after a pause." }),
  }),
});

const hasStarted = ({ startsAt }: ContestDocument, _args: object, { viewer, clock }: Context): boolean =>
  (viewer !== undefined && isJury(viewer)) || clock.now() >= startsAt.getTime();

export const Contest = builder.objectRef<ContestDocument>("Contest").implement({
  description: "A time in which programs for some problems are judged before everything else.",
  fields: (t) => ({
    id: t.exposeID("_id"),
    name: t.exposeString("name"),
    startsAt: t.expose("startsAt", { type: "DateTime" }),
    endsAt: t.expose("endsAt", { type: "DateTime", description: "From then on it takes no submissions." }),
    open: t.boolean({
      description: "Everybody may take part.",
      resolve: ({ participants }) => participants === undefined,
    }),
    problems: t.field({
      type: [Problem],
      nullable: true,
      complexity: 20,
      description: "In their order. For participants null until it starts.",
      authScopes: hasStarted,
      unauthorizedResolver: () => null,
      resolve: async ({ problems }, _args, context) => {
        const found = await Promise.all(problems.map((id) => context.findProblem(id)));
        return found.flatMap((problem) => problem ?? []);
      },
    }),
    participants: t.stringList({
      ...juryOnly,
      description: "Owners that may take part; null when it is open. Jury only.",
      resolve: ({ participants }) => participants && [...participants],
    }),
    rate: t.field({ type: Rate, nullable: true, resolve: ({ rate }) => rate }),
    version: t.exposeInt("version", { description: "Grows with every change." }),
    createdAt: t.expose("createdAt", { type: "DateTime" }),
    updatedAt: t.expose("updatedAt", { type: "DateTime" }),
  }),
});

const successOf = (name: string) =>
  builder
    .objectRef<{ readonly contest: ContestDocument }>(name)
    .implement({ fields: (t) => ({ contest: t.expose("contest", { type: Contest }) }) });

const CreateResult = builder.unionType("CreateContestResult", {
  types: [
    successOf("CreateContestSuccess"),
    errorType("FORBIDDEN"),
    errorType("INPUT_INVALID"),
    errorType("CONTEST_EXISTS"),
    errorType("PROBLEM_NOT_FOUND"),
    errorType("SERVICE_UNAVAILABLE"),
  ],
  resolveType: resultType("CreateContestSuccess"),
});

const UpdateResult = builder.unionType("UpdateContestResult", {
  types: [
    successOf("UpdateContestSuccess"),
    errorType("FORBIDDEN"),
    errorType("INPUT_INVALID"),
    errorType("CONTEST_NOT_FOUND"),
    errorType("CONTEST_CHANGED"),
    errorType("PROBLEM_NOT_FOUND"),
    errorType("SERVICE_UNAVAILABLE"),
  ],
  resolveType: resultType("UpdateContestSuccess"),
});

const RateInput = builder.inputType("ContestRateInput", {
  fields: (t) => ({ perSecond: t.float({ required: true }), burst: t.int({ required: true }) }),
});

const NOT_JURY = notJury("Contests");

interface Given {
  readonly name?: string | null | undefined;
  readonly startsAt?: Date | null | undefined;
  readonly endsAt?: Date | null | undefined;
  readonly problems?: readonly string[] | null | undefined;
  readonly open?: boolean | null | undefined;
  readonly participants?: readonly string[] | null | undefined;
  readonly rate?: { readonly perSecond: number; readonly burst: number } | null | undefined;
}

/** `open` and `participants` are two ways to say one thing. */
const readInput = (given: Given): ContestInput => ({
  name: given.name ?? undefined,
  startsAt: given.startsAt ?? undefined,
  endsAt: given.endsAt ?? undefined,
  problems: given.problems ?? undefined,
  participants: given.open === true ? null : (given.participants ?? undefined),
  rate: given.rate,
});

const contradicts = ({ open, participants }: Given): boolean =>
  open === true && participants !== null && participants !== undefined;
const CONTRADICTION = {
  code: "INPUT_INVALID",
  message: "Give either open: true or participants, and not both.",
} as const;

function addQueries(): void {
  builder.queryField("contest", (t) =>
    t.field({
      type: Contest,
      nullable: true,
      authScopes: { authenticated: true },
      description: "One contest; null when there is none with this id.",
      args: { id: t.arg.id({ required: true }) },
      resolve: async (_root, { id }, { store }) => {
        const parsed = ContestId.safeParse(id);
        return parsed.success ? await store.contests.get(parsed.data) : null;
      },
    }),
  );
  const Connection = builder.connectionObject({ type: Contest, name: "ContestConnection" });
  builder.queryField("contests", (t) =>
    t.field({
      type: Connection,
      authScopes: { authenticated: true },
      description: "By id.",
      args: pageArgs(t),
      complexity: pageComplexity,
      resolve: (_root, args, context) =>
        page<ContestDocument>(
          context,
          args,
          ({ _id }) => _id,
          (first, after) => context.store.contests.page({ first, after: after as ContestId | undefined }),
        ),
    }),
  );
}

export function addContests(): void {
  addQueries();
  builder.mutationField("createContest", (t) =>
    t.fieldWithInput({
      type: CreateResult,
      authScopes: { authenticated: true },
      description: "Makes a contest. Jury only.",
      typeOptions: { name: "CreateContestInput" },
      input: {
        id: t.input.id({ required: true, description: "A short name: a-z, 0-9, '_', '-', '.'." }),
        name: t.input.string({ required: true }),
        startsAt: t.input.field({ type: "DateTime", required: true }),
        endsAt: t.input.field({ type: "DateTime", required: true }),
        problems: t.input.idList({ required: true, description: "Ids of problems, in their order." }),
        open: t.input.boolean({ description: "Everybody may take part; or give `participants`." }),
        participants: t.input.stringList({ description: "Owners that may take part." }),
        rate: t.input.field({ type: RateInput }),
      },
      resolve: (_root, { input }, context) =>
        orCoded(async () => {
          const { viewer } = context;
          if (viewer === undefined || !isJury(viewer)) return NOT_JURY;
          if (contradicts(input) || (input.open !== true && !input.participants)) return CONTRADICTION;
          return await createContest(context, { ...readInput(input), id: input.id, by: viewer.owner });
        }),
    }),
  );
  builder.mutationField("updateContest", (t) =>
    t.fieldWithInput({
      type: UpdateResult,
      authScopes: { authenticated: true },
      description:
        "Changes a contest, at any time: what is left out stays. Submissions see it within a second. Jury only.",
      typeOptions: { name: "UpdateContestInput" },
      input: {
        id: t.input.id({ required: true }),
        version: t.input.int({ description: "Only if it still has this version." }),
        name: t.input.string(),
        startsAt: t.input.field({ type: "DateTime" }),
        endsAt: t.input.field({ type: "DateTime" }),
        problems: t.input.idList(),
        open: t.input.boolean(),
        participants: t.input.stringList(),
        rate: t.input.field({ type: RateInput, description: "Null: as the server's limits say." }),
      },
      resolve: (_root, { input }, context) =>
        orCoded(async () => {
          const { viewer } = context;
          if (viewer === undefined || !isJury(viewer)) return NOT_JURY;
          if (contradicts(input)) return CONTRADICTION;
          const { id, version } = input;
          return await updateContest(context, {
            ...readInput(input),
            id,
            version: version ?? undefined,
            by: viewer.owner,
          });
        }),
    }),
  );
}
