import type { Clock } from "../../shared/clock.ts";
import type { CrashPoint } from "../../shared/crashpoint.ts";
import { firstSubmissionId, type ProblemId } from "../../shared/ids.ts";
import type { Lane } from "../../shared/lane.ts";
import { insertNext, nextJudgement } from "../results/nextjudgement.ts";
import {
  isFinal,
  type ProblemDocument,
  type RejudgeMark,
  type SubmissionSnapshot,
} from "../store/documents.ts";
import type { RejudgeDocument, RejudgePriority } from "../store/rejudges.ts";
import type { Store } from "../store/store.ts";
import { pageOf } from "./rejudge.ts";

export interface SelectDeps {
  readonly store: Pick<
    Store,
    "rejudges" | "rejudged" | "snapshots" | "judgements" | "submissions" | "problems"
  >;
  readonly clock: Clock;
  readonly crash: CrashPoint;
  readonly wakeOutbox: () => void;
}

/** Submissions looked at at once: small enough that intake is not held up behind its writes. */
const BATCH = 200;
/** Less than any id: everything has been looked at. */
const END = firstSubmissionId(0);

const LANE_OF: Readonly<Record<RejudgePriority, Lane>> = {
  LOW: "rejudge",
  NORMAL: "practice",
  HIGH: "contest",
};

/** The next submissions that fit, newest first. */
async function nextBatch(
  store: SelectDeps["store"],
  { filter, cursor }: RejudgeDocument,
): Promise<SubmissionSnapshot[]> {
  if (filter.ids === undefined) {
    return await store.snapshots.page({ ...pageOf(filter), before: cursor, first: BATCH });
  }
  const ids = [...new Set(filter.ids)].filter((id) => id < cursor).toSorted((a, b) => (a < b ? 1 : -1));
  const found = await store.snapshots.many(ids.slice(0, BATCH));
  return found.toSorted((a, b) => (a.submission._id < b.submission._id ? 1 : -1));
}

const verdictOf = (result: unknown): { verdict?: string } => {
  const verdict =
    typeof result === "object" && result !== null && "verdict" in result ? result.verdict : undefined;
  return typeof verdict === "string" ? { verdict } : {};
};

const markOf = (rejudge: RejudgeDocument, { judgement }: SubmissionSnapshot): RejudgeMark => ({
  id: rejudge._id,
  from: {
    generation: judgement.generation,
    state: judgement.state,
    ...(judgement.state === "FINISHED" ? verdictOf(judgement.result) : {}),
  },
});

/** Makes a judgement of each, unless it has one of this rejudge. */
async function judgeAgain(
  deps: SelectDeps,
  rejudge: RejudgeDocument,
  snapshots: readonly SubmissionSnapshot[],
): Promise<void> {
  const { store } = deps;
  const ids = snapshots.map(({ submission }) => submission._id);
  const done = await store.rejudged.judged({ id: rejudge._id, submissions: ids });
  const problems = new Map<ProblemId, Promise<ProblemDocument | undefined>>();
  const newest = async (id: ProblemId): Promise<ProblemDocument | undefined> => {
    const known = problems.get(id) ?? store.problems.get(id);
    problems.set(id, known);
    return await known;
  };
  const createdAt = new Date(deps.clock.now());
  const lane = LANE_OF[rejudge.priority];
  const isSame = (mark: RejudgeMark | undefined): boolean => mark?.id === rejudge._id;
  await Promise.all(
    snapshots.map(async (snapshot) => {
      const { submission, judgement } = snapshot;
      if (done.has(submission._id)) return;
      const problem = await newest(submission.problem);
      const mark = markOf(rejudge, snapshot);
      const manifest = problem?.manifest ?? submission.manifest;
      await insertNext(store.judgements, {
        submission,
        after: judgement.generation,
        make: (generation) =>
          nextJudgement(judgement, { generation, lane, manifest, rejudge: mark, createdAt }),
        isSame: (one) => isSame(one.rejudge),
        elsewhere: () => store.rejudged.of({ id: rejudge._id, submission: submission._id }),
      });
    }),
  );
}

/**
 * Takes in the next submissions that fit; false when there are no more. Three steps, each repeatable after a crash: the
 * submissions are marked as part of this rejudge, each gets a judgement, the cursor moves on. Throws StoreUnavailable.
 */
export async function selectBatch(
  deps: SelectDeps,
  rejudge: RejudgeDocument,
): Promise<RejudgeDocument | undefined> {
  const { store, crash } = deps;
  const found = await nextBatch(store, rejudge);
  const unfinished = found.filter(({ judgement }) => !isFinal(judgement.state));
  const cancelled = found.filter(
    ({ judgement }) => judgement.state === "CANCELLED" && rejudge.filter.ids === undefined,
  );
  const wanted = found.filter((one) => !unfinished.includes(one) && !cancelled.includes(one));
  const ids = wanted.map(({ submission }) => submission._id);
  const claimed = await store.rejudged.claim({ id: rejudge._id, submissions: ids });
  crash("rejudge.afterClaim");
  await judgeAgain(
    deps,
    rejudge,
    wanted.filter(({ submission }) => claimed.has(submission._id)),
  );
  crash("rejudge.afterInsert");
  const skipped = {
    unfinished: unfinished.length,
    cancelled: cancelled.length,
    busy: wanted.length - claimed.size,
  };
  const last = found.length < BATCH ? END : (found.at(-1)?.submission._id ?? END);
  const { _id: id, cursor } = rejudge;
  const passed = await store.rejudges.passed({ id, cursor, next: last, selected: claimed.size, skipped });
  deps.wakeOutbox();
  if (!passed) return undefined;
  if (last !== END) return await store.rejudges.get(id);
  await store.rejudges.move({ id, from: ["SELECTING"], set: { state: "JUDGING" } });
  return undefined;
}
