import type { Clock } from "../../shared/clock.ts";
import type { ProblemId } from "../../shared/ids.ts";
import type { ProblemDocument } from "../store/documents.ts";
import type { Problems } from "../store/problems.ts";

/** A new version of a problem is seen by submissions after this long at most, milliseconds. */
const KEEP_MS = 1_000;
const KEEP_COUNT = 2_000;

/** Looks up problems for intake; a busy problem costs one look-up per `KEEP_MS`. Throws StoreUnavailable. */
export function createProblemCache(deps: {
  readonly problems: Pick<Problems, "get">;
  readonly clock: Clock;
}): (id: ProblemId) => Promise<ProblemDocument | undefined> {
  const kept = new Map<ProblemId, { until: number; problem: Promise<ProblemDocument | undefined> }>();
  return (id) => {
    const now = deps.clock.now();
    const known = kept.get(id);
    if (known !== undefined && known.until > now) return known.problem;
    if (kept.size >= KEEP_COUNT) kept.clear();
    const problem = deps.problems.get(id);
    kept.set(id, { until: now + KEEP_MS, problem });
    // Neither failures nor absences are kept: a problem just imported is there at once.
    problem.then(
      (found) => found ?? kept.delete(id),
      () => kept.delete(id),
    );
    return problem;
  };
}
