import { z } from "zod";
import type { Clock } from "../../shared/clock.ts";
import type { CodedError } from "../../shared/errors.ts";
import { ContestId, ProblemId } from "../../shared/ids.ts";
import type { Limits } from "../../shared/limits.ts";
import type { Log } from "../../shared/log.ts";
import type { ContestDocument } from "../store/documents.ts";
import type { Store } from "../store/store.ts";

export interface ContestDeps {
  readonly store: Pick<Store, "contests" | "problems">;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the jury says of a contest, not yet checked. */
export interface ContestInput {
  readonly name?: string | undefined;
  readonly startsAt?: Date | undefined;
  readonly endsAt?: Date | undefined;
  readonly problems?: readonly string[] | undefined;
  /** Owners; null: open to everybody. */
  readonly participants?: readonly string[] | null | undefined;
  /** Null: the limits contestPerSecond and contestBurst. */
  readonly rate?: { readonly perSecond: number; readonly burst: number } | null | undefined;
}

export type KeepOutcome = { readonly contest: ContestDocument } | CodedError;

const invalid = (message: string, limit?: number): CodedError => ({
  code: "INPUT_INVALID",
  message,
  ...(limit === undefined ? {} : { limit }),
});

const Owner = z.string().regex(/^[\x21-\x7e](?:[\x20-\x7e]{0,126}[\x21-\x7e])?$/);

/** Why it cannot be, or undefined. Throws StoreUnavailable. */
async function findWrong(
  { store, limits }: ContestDeps,
  contest: ContestDocument,
): Promise<CodedError | undefined> {
  const { name, startsAt, endsAt, problems, participants, rate } = contest;
  if (name.trim() === "" || name.length > 200) return invalid("name: expected 1 to 200 characters.");
  if (!(startsAt < endsAt)) return invalid("endsAt: must come after startsAt.");
  if (problems.length === 0) return invalid("problems: give at least one.");
  if (new Set(problems).size < problems.length) return invalid("problems: one is there twice.");
  if (problems.length > limits.contestProblems)
    return invalid(`problems: at most ${limits.contestProblems}.`, limits.contestProblems);
  const most = limits.contestParticipants;
  if (participants && participants.length > most)
    return invalid(`participants: at most ${most}; or leave the contest open.`, most);
  const odd = participants?.find((owner) => !Owner.safeParse(owner).success);
  if (odd !== undefined)
    return invalid(
      `participants: ${JSON.stringify(odd.slice(0, 80))} cannot be an owner: 1 to 128 printable ASCII characters.`,
    );
  if (rate && !(rate.perSecond > 0 && Number.isInteger(rate.burst) && rate.burst > 0))
    return invalid("rate: perSecond must be above 0, burst a whole number above 0.");
  for (const id of problems) {
    if ((await store.problems.get(id)) === undefined)
      return { code: "PROBLEM_NOT_FOUND", message: `There is no problem ${id}: import it first.` };
  }
  return undefined;
}

const listOfProblems = (ids: readonly string[]): readonly ProblemId[] | CodedError => {
  const wrong = ids.find((id) => !ProblemId.safeParse(id).success);
  if (wrong !== undefined)
    return {
      code: "PROBLEM_NOT_FOUND",
      message: `There is no problem ${JSON.stringify(wrong.slice(0, 80))}.`,
    };
  return ids.map((id) => ProblemId.parse(id));
};

/** The contest with what was said of it; what was not said stays. */
function changed(before: ContestDocument, input: ContestInput): ContestDocument | CodedError {
  const problems = listOfProblems(input.problems ?? before.problems);
  if ("code" in problems) return problems;
  const { participants: named, rate: paced, ...rest } = before;
  const participants = input.participants === undefined ? named : (input.participants ?? undefined);
  const rate = input.rate === undefined ? paced : (input.rate ?? undefined);
  return {
    ...rest,
    name: input.name ?? before.name,
    startsAt: input.startsAt ?? before.startsAt,
    endsAt: input.endsAt ?? before.endsAt,
    problems,
    ...(participants === undefined ? {} : { participants: [...new Set(participants)] }),
    ...(rate === undefined ? {} : { rate }),
  };
}

/** Makes a contest. Throws StoreUnavailable. */
export async function createContest(
  deps: ContestDeps,
  input: ContestInput & { readonly id: string; readonly by: string },
): Promise<KeepOutcome> {
  const id = ContestId.safeParse(input.id);
  if (!id.success) return invalid(`id: ${id.error.issues[0]?.message ?? "not usable"}.`);
  if (input.name === undefined || input.startsAt === undefined || input.endsAt === undefined)
    return invalid("Give name, startsAt and endsAt.");
  const at = new Date(deps.clock.now());
  const contest = changed(
    {
      _id: id.data,
      name: input.name,
      startsAt: input.startsAt,
      endsAt: input.endsAt,
      problems: [],
      version: 1,
      createdBy: input.by,
      createdAt: at,
      updatedAt: at,
    },
    input,
  );
  if ("code" in contest) return contest;
  const wrong = await findWrong(deps, contest);
  if (wrong !== undefined) return wrong;
  if (!(await deps.store.contests.insert(contest)))
    return { code: "CONTEST_EXISTS", message: `There is a contest ${id.data} already.` };
  deps.log.info({ contest: id.data, by: input.by }, "contest created");
  return { contest };
}

/**
 * Changes a contest; what is left out stays. With `version` only if nobody has changed it since. Submissions see it
 * within a second. Throws StoreUnavailable.
 */
export async function updateContest(
  deps: ContestDeps,
  input: ContestInput & { readonly id: string; readonly version?: number | undefined; readonly by: string },
): Promise<KeepOutcome> {
  const id = ContestId.safeParse(input.id);
  const before = id.success ? await deps.store.contests.get(id.data) : undefined;
  if (before === undefined)
    return {
      code: "CONTEST_NOT_FOUND",
      message: `There is no contest ${JSON.stringify(input.id.slice(0, 80))}.`,
    };
  const moved: CodedError = {
    code: "CONTEST_CHANGED",
    message: `Somebody has changed ${before._id} meanwhile: read it again.`,
  };
  if (input.version !== undefined && input.version !== before.version) return moved;
  const next = changed(before, input);
  if ("code" in next) return next;
  const contest = { ...next, version: before.version + 1, updatedAt: new Date(deps.clock.now()) };
  const wrong = await findWrong(deps, contest);
  if (wrong !== undefined) return wrong;
  if (!(await deps.store.contests.replaceIfUnchanged(contest))) return moved;
  deps.log.info({ contest: contest._id, by: input.by }, "contest changed");
  return { contest };
}
