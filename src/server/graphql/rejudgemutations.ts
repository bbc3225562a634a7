import type { CodedError } from "../../shared/errors.ts";
import { ContestId, ProblemId, RejudgeId, SubmissionId } from "../../shared/ids.ts";
import { LanguageId } from "../../shared/language.ts";
import { isJury } from "../auth.ts";
import { orCoded } from "../coded.ts";
import type { RejudgeOutcome } from "../rejudge/apply.ts";
import type { RejudgeDocument, RejudgeFilter } from "../store/rejudges.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { Rejudge, RejudgePriorityEnum } from "./rejudge.ts";
import { VerdictEnum } from "./scalars.ts";
import { errorType, resultType } from "./usererror.ts";
import { notJury } from "./juryonly.ts";

interface Success {
  readonly rejudge: RejudgeDocument;
}

const success = (name: string) =>
  builder
    .objectRef<Success>(name)
    .implement({ fields: (t) => ({ rejudge: t.expose("rejudge", { type: Rejudge }) }) });

const CreateResult = builder.unionType("CreateRejudgeResult", {
  types: [
    success("CreateRejudgeSuccess"),
    errorType("FORBIDDEN"),
    errorType("INPUT_INVALID"),
    errorType("SERVICE_UNAVAILABLE"),
  ],
  resolveType: resultType("CreateRejudgeSuccess"),
});

const ApplyResult = builder.unionType("ApplyRejudgeResult", {
  types: [
    success("ApplyRejudgeSuccess"),
    errorType("FORBIDDEN"),
    errorType("REJUDGE_NOT_FOUND"),
    errorType("REJUDGE_NOT_READY"),
    errorType("REJUDGE_CLOSED"),
    errorType("SERVICE_UNAVAILABLE"),
  ],
  resolveType: resultType("ApplyRejudgeSuccess"),
});

const CancelResult = builder.unionType("CancelRejudgeResult", {
  types: [
    success("CancelRejudgeSuccess"),
    errorType("FORBIDDEN"),
    errorType("REJUDGE_NOT_FOUND"),
    errorType("REJUDGE_CLOSED"),
    errorType("SERVICE_UNAVAILABLE"),
  ],
  resolveType: resultType("CancelRejudgeSuccess"),
});

const Filter = builder.inputType("RejudgeFilter", {
  description: "All given members must fit; at least one is given.",
  fields: (t) => ({
    problem: t.string({ description: "A problem's id." }),
    language: t.string({ description: "A language's id." }),
    contest: t.string({ description: "A contest's id: what was handed in to it." }),
    verdict: t.field({ type: VerdictEnum, description: "Of the judgement that counts." }),
    owner: t.string(),
    since: t.field({ type: "DateTime", description: "Handed in at this time or later." }),
    before: t.field({ type: "DateTime", description: "Handed in before this time." }),
    ids: t.idList({ description: "These submissions and no others; alone." }),
  }),
});

const REASON_CHARACTERS = 500;

const NOT_JURY = notJury("Rejudges");

const invalid = (message: string): CodedError => ({ code: "INPUT_INVALID", message });

/** What was given, parsed; or what is wrong with it. */
function readFilter(given: typeof Filter.$inferInput): RejudgeFilter | CodedError {
  const members = Object.entries(given).filter(([, value]) => value !== null && value !== undefined);
  if (members.length === 0) return invalid("filter: give at least one member.");
  const problem = ProblemId.optional().safeParse(given.problem ?? undefined);
  if (!problem.success)
    return invalid(`filter.problem: there is no problem ${JSON.stringify(given.problem)}.`);
  const language = LanguageId.optional().safeParse(given.language ?? undefined);
  if (!language.success)
    return invalid(`filter.language: there is no language ${JSON.stringify(given.language)}.`);
  const contest = ContestId.optional().safeParse(given.contest ?? undefined);
  if (!contest.success)
    return invalid(`filter.contest: there is no contest ${JSON.stringify(given.contest)}.`);
  if (given.ids && members.length > 1) return invalid("filter: `ids` stands alone.");
  if (given.ids?.length === 0) return invalid("filter.ids: name at least one submission.");
  const wrong = given.ids?.find((id) => !SubmissionId.safeParse(id).success);
  if (wrong !== undefined) return invalid(`filter.ids: ${JSON.stringify(wrong)} is no submission's id.`);
  return {
    ...(problem.data === undefined ? {} : { problem: problem.data }),
    ...(language.data === undefined ? {} : { language: language.data }),
    ...(contest.data === undefined ? {} : { contest: contest.data }),
    ...(given.verdict ? { verdict: given.verdict } : {}),
    ...(given.owner ? { owner: given.owner } : {}),
    ...(given.since ? { since: given.since } : {}),
    ...(given.before ? { before: given.before } : {}),
    ...(given.ids ? { ids: given.ids.map((id) => SubmissionId.parse(id)) } : {}),
  };
}

interface Wish extends Pick<RejudgeDocument, "reason" | "priority" | "autoApply"> {
  readonly filter: typeof Filter.$inferInput;
}

async function create({ viewer, backbone }: Context, wish: Wish): Promise<Success | CodedError> {
  if (viewer === undefined || !isJury(viewer)) return NOT_JURY;
  const reason = wish.reason.trim();
  if (reason === "" || reason.length > REASON_CHARACTERS) {
    return invalid(`reason: say in 1 to ${REASON_CHARACTERS} characters why they are judged again.`);
  }
  const filter = readFilter(wish.filter);
  if ("code" in filter) return filter;
  const { priority, autoApply } = wish;
  const outcome = await backbone.createRejudge({ by: viewer.owner, reason, filter, priority, autoApply });
  return outcome.type === "created" ? { rejudge: outcome.rejudge } : outcome;
}

function answerOf(outcome: RejudgeOutcome, id: string): Success | CodedError {
  if (outcome.type === "done") return { rejudge: outcome.rejudge };
  if (outcome.type === "unknown") return { code: "REJUDGE_NOT_FOUND", message: `There is no rejudge ${id}.` };
  const { state } = outcome.rejudge;
  if (outcome.type === "not-ready") {
    return {
      code: "REJUDGE_NOT_READY",
      message: `It is ${state}: wait until all is judged, or cancel it.`,
    };
  }
  return { code: "REJUDGE_CLOSED", message: `It is ${state} already.` };
}

async function close(
  { viewer, backbone }: Context,
  what: "applyRejudge" | "cancelRejudge",
  id: string,
): Promise<Success | CodedError> {
  if (viewer === undefined || !isJury(viewer)) return NOT_JURY;
  const parsed = RejudgeId.safeParse(id);
  const outcome: RejudgeOutcome = parsed.success
    ? await backbone[what]({ id: parsed.data, by: viewer.owner })
    : { type: "unknown" };
  return answerOf(outcome, id);
}

export function addRejudgeMutations(): void {
  builder.mutationField("createRejudge", (t) =>
    t.fieldWithInput({
      type: CreateResult,
      authScopes: { authenticated: true },
      description:
        "Judges every finished or given-up submission that fits again, by its problem's newest version. The old verdicts stand until `applyRejudge`. Jury only.",
      typeOptions: { name: "CreateRejudgeInput" },
      input: {
        filter: t.input.field({ type: Filter, required: true }),
        reason: t.input.string({ required: true, description: "Why; kept with who." }),
        priority: t.input.field({ type: RejudgePriorityEnum, required: true, defaultValue: "LOW" }),
        autoApply: t.input.boolean({
          required: true,
          defaultValue: false,
          description: "Applies itself as soon as all are judged.",
        }),
      },
      resolve: (_root, { input }, context) => orCoded(() => create(context, input)),
    }),
  );
  builder.mutationField("applyRejudge", (t) =>
    t.fieldWithInput({
      type: ApplyResult,
      authScopes: { authenticated: true },
      description:
        "Makes what a READY rejudge has judged count: all of it at once, or nothing. What could not be judged keeps its old verdict. Asked again it changes nothing. Jury only.",
      typeOptions: { name: "ApplyRejudgeInput" },
      input: { id: t.input.id({ required: true }) },
      resolve: (_root, { input }, context) => orCoded(() => close(context, "applyRejudge", input.id)),
    }),
  );
  builder.mutationField("cancelRejudge", (t) =>
    t.fieldWithInput({
      type: CancelResult,
      authScopes: { authenticated: true },
      description:
        "Drops a rejudge that was not applied, and stops what still runs for it. Asked again it changes nothing. Jury only.",
      typeOptions: { name: "CancelRejudgeInput" },
      input: { id: t.input.id({ required: true }) },
      resolve: (_root, { input }, context) => orCoded(() => close(context, "cancelRejudge", input.id)),
    }),
  );
}
