import type { Clock } from "../../shared/clock.ts";
import type { CodedError } from "../../shared/errors.ts";
import { firstSubmissionId, newRejudgeId, type SubmissionId } from "../../shared/ids.ts";
import type { Limits } from "../../shared/limits.ts";
import type { Log } from "../../shared/log.ts";
import type { RejudgeDocument, RejudgeFilter } from "../store/rejudges.ts";
import type { Store } from "../store/store.ts";

export interface CreateRejudgeDeps {
  readonly store: Pick<Store, "rejudges" | "snapshots" | "problems">;
  readonly limits: Pick<Limits, "rejudgeSubmissions">;
  readonly clock: Clock;
  readonly log: Log;
  readonly wake: () => void;
}

export interface CreateRejudgeInput extends Pick<
  RejudgeDocument,
  "by" | "reason" | "filter" | "priority" | "autoApply"
> {}

export type CreateRejudgeOutcome =
  | { readonly type: "created"; readonly rejudge: RejudgeDocument }
  | ({ readonly type: "refused" } & CodedError);

const invalid = (message: string): CreateRejudgeOutcome => ({
  type: "refused",
  code: "INPUT_INVALID",
  message,
});

/** The part of the filter that the store's pages know. */
export const pageOf = ({ problem, language, contest, verdict, owner, since }: RejudgeFilter) => ({
  problem,
  language,
  contest,
  verdict,
  owner,
  from: since === undefined ? undefined : firstSubmissionId(since.getTime()),
});

/** The place before the newest submission that fits: what is handed in later is not part of it. */
const startOf = ({ before }: RejudgeFilter, now: number): SubmissionId =>
  firstSubmissionId(Math.min(now + 1, before?.getTime() ?? Infinity));

/**
 * Stores the wish; selecting and judging go on in the background, on any server. The reply's rejudge is SELECTING.
 * Throws StoreUnavailable.
 */
export async function createRejudge(
  deps: CreateRejudgeDeps,
  input: CreateRejudgeInput,
): Promise<CreateRejudgeOutcome> {
  const { store, clock, limits } = deps;
  const { filter } = input;
  const at = clock.now();
  const cursor = startOf(filter, at);
  const most = limits.rejudgeSubmissions;
  if (filter.problem !== undefined && (await store.problems.get(filter.problem)) === undefined) {
    return invalid(`filter.problem: there is no problem ${filter.problem}.`);
  }
  if (filter.ids === undefined) {
    const found = await store.snapshots.count({ ...pageOf(filter), before: cursor, most: most + 1 });
    if (found === 0) return invalid("No submission fits the filter.");
    if (found > most) {
      return invalid(`More than ${most} submissions fit (limit rejudgeSubmissions); narrow the filter.`);
    }
  } else {
    if (filter.ids.length > most)
      return invalid(`There are ${filter.ids.length} ids; the limit rejudgeSubmissions is ${most}.`);
    const known = new Set((await store.snapshots.many(filter.ids)).map(({ submission }) => submission._id));
    const unknown = filter.ids.find((id) => !known.has(id));
    if (unknown !== undefined) return invalid(`filter.ids: there is no submission ${unknown}.`);
  }
  const rejudge: RejudgeDocument = {
    _id: newRejudgeId(at),
    ...input,
    state: "SELECTING",
    cursor,
    selected: 0,
    skipped: { unfinished: 0, cancelled: 0, busy: 0 },
    createdAt: new Date(at),
  };
  await store.rejudges.insert(rejudge);
  deps.log.info({ rejudge: rejudge._id, by: input.by, reason: input.reason, filter }, "rejudge created");
  deps.wake();
  return { type: "created", rejudge };
}
