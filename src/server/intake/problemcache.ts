import type { Clock } from "../../shared/clock.ts";
import type { ProblemId } from "../../shared/ids.ts";
import { createRecent, type Evicted } from "../../shared/recent.ts";
import type { ProblemDocument } from "../store/documents.ts";
import type { Problems } from "../store/problems.ts";

/** A new version of a problem is seen by submissions after this long at most, milliseconds. */
const KEEP_MS = 1_000;

/** Looks up problems for intake; a busy problem costs one look-up per `KEEP_MS`. Throws StoreUnavailable. */
export function createProblemCache(deps: {
  readonly problems: Pick<Problems, "get">;
  readonly clock: Clock;
  readonly evicted: Evicted;
}): (id: ProblemId) => Promise<ProblemDocument | undefined> {
  const kept = createRecent<ProblemId, { until: number; problem: Promise<ProblemDocument | undefined> }>(
    "rememberedProblems",
    deps.evicted,
  );
  return (id) => {
    const now = deps.clock.now();
    const known = kept.get(id);
    if (known !== undefined && known.until > now) return known.problem;
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
