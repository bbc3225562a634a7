import type { Clock } from "../../shared/clock.ts";
import { ContestId } from "../../shared/ids.ts";
import { createRecent, type Evicted } from "../../shared/recent.ts";
import type { ContestDocument } from "../store/documents.ts";
import type { Contests } from "../store/contests.ts";
import { type Refusal, refuse, type SubmitInput } from "./outcome.ts";

/** A contest as intake needs it. */
export interface OpenContest {
  readonly contest: ContestDocument;
  /** Undefined: everybody. */
  readonly participants: ReadonlySet<string> | undefined;
}

/** A change of a contest is seen by submissions after this long at most, milliseconds. */
const KEEP_MS = 1_000;

export function createContestCache(deps: {
  readonly contests: Pick<Contests, "get">;
  readonly clock: Clock;
  readonly evicted: Evicted;
}): (id: ContestId) => Promise<OpenContest | undefined> {
  const kept = createRecent<
    ContestId,
    { readonly until: number; readonly found: Promise<OpenContest | undefined> }
  >("rememberedContests", deps.evicted);

  async function read(id: ContestId): Promise<OpenContest | undefined> {
    const contest = await deps.contests.get(id);
    if (contest === undefined) return undefined;
    return { contest, participants: contest.participants && new Set(contest.participants) };
  }

  return (id) => {
    const now = deps.clock.now();
    const known = kept.get(id);
    if (known !== undefined && known.until > now) return known.found;
    const found = read(id);
    kept.set(id, { until: now + KEEP_MS, found });
    // Neither failures nor absences are kept.
    found.then(
      (one) => one ?? kept.delete(id),
      () => kept.delete(id),
    );
    return found;
  };
}

const notFound = (id: string): Refusal =>
  refuse("CONTEST_NOT_FOUND", `There is no contest ${JSON.stringify(id.slice(0, 80))}.`);

/**
 * The contest that a submission is for, or why it does not take it. The jury may hand in at any time: it tries its
 * problems out. Throws StoreUnavailable.
 */
export async function checkContest(
  deps: { readonly findContest: (id: ContestId) => Promise<OpenContest | undefined>; readonly clock: Clock },
  { contest: wanted, owner, role, problem }: SubmitInput,
): Promise<Refusal | ContestDocument | undefined> {
  if (wanted === undefined) return undefined;
  const id = ContestId.safeParse(wanted);
  const found = id.success ? await deps.findContest(id.data) : undefined;
  if (found === undefined) return notFound(wanted);
  const { contest, participants } = found;
  const isIn = contest.problems.some((one) => one === problem);
  if (role === "participant") {
    const now = deps.clock.now();
    if (participants !== undefined && !participants.has(owner))
      return refuse("NOT_A_PARTICIPANT", `You are not a participant of ${contest.name}.`);
    if (now < contest.startsAt.getTime()) {
      const message = `${contest.name} starts at ${contest.startsAt.toISOString()}.`;
      return refuse("CONTEST_NOT_STARTED", message, { retryAfterMs: contest.startsAt.getTime() - now });
    }
    if (now >= contest.endsAt.getTime()) {
      const message = `${contest.name} was over at ${contest.endsAt.toISOString()}. Without \`contest\` it is practice.`;
      return refuse("CONTEST_OVER", message);
    }
  }
  if (!isIn) {
    const problems = contest.problems.join(", ");
    return refuse("PROBLEM_NOT_IN_CONTEST", `${problem.slice(0, 80)} is not a problem of it: ${problems}.`);
  }
  return contest;
}
