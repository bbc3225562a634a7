import type { Clock } from "../../shared/clock.ts";
import type { Log } from "../../shared/log.ts";
import type { Contests } from "../store/contests.ts";
import type { DeadLetters } from "../store/deadletters.ts";
import type { JudgementDocument } from "../store/documents.ts";
import type { Problems } from "../store/problems.ts";

export interface TakeOutDeps {
  readonly store: {
    readonly problems: Pick<Problems, "get" | "takeOut">;
    readonly deadLetters: Pick<DeadLetters, "owners">;
    readonly contests: Pick<Contests, "isRunning">;
  };
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * So many different owners must have run into a broken validator before their problem is taken out: one crafted output
 * that makes a validator crash, handed in ever so often, must not switch it off for all.
 */
const TAKE_OUT_OWNERS = 3;

/**
 * Looks at a judgement that has just been given up: was it the validator, and has it now failed enough of them? A
 * problem of a contest that is running stays, whatever its validator does. Repeatable; a look that a crash cut off is
 * made up for by the next one.
 */
export async function considerTakeOut(deps: TakeOutDeps, judgement: JudgementDocument): Promise<void> {
  const { deadLetter, problem: id } = judgement;
  if (id === undefined || deadLetter?.code !== "VALIDATOR_FAILED") return;
  const { problems, deadLetters, contests } = deps.store;
  const problem = await problems.get(id);
  if (problem === undefined || problem.takenOut !== undefined) return;
  const since = problem.reinstatedAt ?? problem.importedAt;
  const owners = await deadLetters.owners({ problem: id, code: deadLetter.code, since });
  if (owners.length < TAKE_OUT_OWNERS) return;
  const at = new Date(deps.clock.now());
  if (await contests.isRunning(id, at)) {
    deps.log.warn({ problem: id, owners: owners.length }, "its validator fails; kept for a running contest");
    return;
  }
  const reason = `its output validator failed for ${owners.length} owners; the last time: ${deadLetter.reason}`;
  // Guarded by the version: one imported meanwhile has another validator.
  if (await problems.takeOut({ id, manifest: problem.manifest, at, reason })) {
    deps.log.error({ problem: id, reason }, "problem taken out");
  }
}
