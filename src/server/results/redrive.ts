import type { Clock } from "../../shared/clock.ts";
import type { CrashPoint } from "../../shared/crashpoint.ts";
import type { SubmissionId } from "../../shared/ids.ts";
import { announce } from "../broker/announce.ts";
import { pointTo } from "../intake/pointto.ts";
import type { WorkKind } from "../intake/work.ts";
import type { DeadLetterFilter } from "../store/deadletters.ts";
import { revisionOf, type SubmissionSnapshot } from "../store/documents.ts";
import type { Store } from "../store/store.ts";
import { insertNext, nextJudgement } from "./nextjudgement.ts";
import type { SettleDeps } from "./settle.ts";

export interface RedriveDeps extends Pick<SettleDeps, "link" | "topology" | "stored" | "measures" | "log"> {
  readonly store: Pick<Store, "snapshots" | "judgements" | "submissions" | "deadLetters">;
  readonly works: ReadonlyMap<string, WorkKind>;
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
  const manifest = await deps.works.get(dead.kind)?.newestVersion?.(submission);
  const { made, judgement } = await insertNext(store.judgements, {
    submission,
    after: dead.generation,
    make: (generation) =>
      nextJudgement(dead, {
        generation,
        redriveOf: { generation: dead.generation, by, at },
        ...(manifest === undefined ? {} : { manifest }),
        createdAt: at,
      }),
    // Another redrive of this dead letter has made it, or began to and died.
    isSame: ({ redriveOf }) => redriveOf?.generation === dead.generation,
  });
  crash("redrive.afterJudgement");
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
