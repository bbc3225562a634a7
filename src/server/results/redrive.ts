import type { Clock } from "../../shared/clock.ts";
import type { CrashPoint } from "../../shared/crashpoint.ts";
import { judgementId, type SubmissionId } from "../../shared/ids.ts";
import { announce } from "../broker/announce.ts";
import { pointTo } from "../intake/pointto.ts";
import type { DeadLetterFilter } from "../store/deadletters.ts";
import { type JudgementDocument, revisionOf, type SubmissionSnapshot } from "../store/documents.ts";
import type { Store } from "../store/store.ts";
import type { SettleDeps } from "./settle.ts";

export interface RedriveDeps extends Pick<SettleDeps, "link" | "topology" | "stored" | "measures" | "log"> {
  readonly store: Pick<Store, "snapshots" | "judgements" | "submissions" | "deadLetters" | "problems">;
  readonly clock: Clock;
  readonly crash: CrashPoint;
  readonly wakeOutbox: () => void;
}

export type RedriveOutcome =
  | { readonly type: "redriven"; readonly snapshot: SubmissionSnapshot }
  /** It has another state, or was discarded and only open ones were asked for. */
  | { readonly type: "not-dead"; readonly snapshot: SubmissionSnapshot }
  | { readonly type: "unknown" };

/**
 * Judges a dead letter again: the next generation, with all its tries, by the problem's newest version. Four writes,
 * each repeatable: who (on the dead letter), the new judgement (its id is unique, so that two redrives at once make
 * one), the submission's pointer (guarded by the generation before), done (on the dead letter). Before the second
 * write a crash leaves a dead letter that can be redriven; after it the outbox finishes what is left.
 * Throws StoreUnavailable.
 */
export async function redrive(
  deps: RedriveDeps,
  input: {
    readonly submission: SubmissionId;
    readonly by: string;
    /** Leaves alone what was discarded. */
    readonly open?: boolean;
  },
): Promise<RedriveOutcome> {
  const { store, crash } = deps;
  const snapshot = await store.snapshots.get(input.submission);
  if (snapshot === undefined) return { type: "unknown" };
  const { submission, judgement: dead } = snapshot;
  const at = new Date(deps.clock.now());
  const { by, open = false } = input;
  if (!(await store.deadLetters.beginRedrive({ id: dead._id, by, at, open })))
    return { type: "not-dead", snapshot };
  crash("redrive.afterMark");
  const problem = await store.problems.get(submission.problem);
  const next: JudgementDocument = {
    _id: judgementId(submission._id, dead.generation + 1),
    submission: submission._id,
    generation: dead.generation + 1,
    kind: dead.kind,
    owner: dead.owner,
    problem: dead.problem,
    language: dead.language,
    lane: dead.lane,
    state: "PENDING",
    dispatch: 0,
    delivery: 0,
    seq: 0,
    dispatchAfter: at,
    change: 0,
    tries: [],
    redriveOf: { generation: dead.generation, by, at },
    ...(problem === undefined ? {} : { manifest: problem.manifest }),
    createdAt: at,
    updatedAt: at,
  };
  const made = (await store.judgements.insert(next)) === "inserted";
  crash("redrive.afterJudgement");
  // Taken: another redrive of this dead letter has made it, or began to and died.
  const judgement = made ? next : ((await store.judgements.get(next._id)) ?? next);
  const pointed = await pointTo(store.submissions, submission, judgement);
  crash("redrive.afterPoint");
  await store.deadLetters.endRedrive({ id: dead._id, generation: judgement.generation });
  if (made) deps.measures.redriven.inc();
  deps.wakeOutbox();
  deps.stored(judgement);
  announce(deps, submission._id, { revision: revisionOf(judgement), final: false });
  deps.log.info({ submission: submission._id, generation: judgement.generation, by }, "dead letter redriven");
  return { type: "redriven", snapshot: { submission: pointed, judgement } };
}

/** Redrives at once. */
const AT_ONCE = 8;

/** Redrives the newest dead letters that fit, at most `limit`, and says how many and whether there are more. */
export async function redriveMany(
  deps: RedriveDeps,
  input: { readonly filter: DeadLetterFilter; readonly by: string; readonly limit: number },
): Promise<{ redriven: number; more: boolean }> {
  const filter = { ...input.filter, discarded: false };
  const found = await deps.store.deadLetters.page({ ...filter, first: input.limit + 1 });
  const waiting = found.slice(0, input.limit);
  let redriven = 0;
  async function work(): Promise<void> {
    for (let one = waiting.shift(); one; one = waiting.shift()) {
      const outcome = await redrive(deps, { submission: one.submission._id, by: input.by, open: true });
      if (outcome.type === "redriven") redriven += 1;
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { redriven, more: found.length > input.limit };
}
