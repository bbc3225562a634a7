import type { Clock } from "../shared/clock.ts";
import type { ProblemId } from "../shared/ids.ts";
import type { Log } from "../shared/log.ts";
import type { QueueId } from "../shared/queue.ts";
import { type Repeat, repeat } from "../shared/repeat.ts";
import type { Held } from "./store/held.ts";
import type { PauseDocument, Pauses } from "./store/pauses.ts";

/** Which queues and problems are paused, as every server knows it a second later at most. */
export interface Paused {
  /** False until this server has read them once: till then everything may be paused. */
  known(): boolean;
  of(queue: QueueId): PauseDocument | undefined;
  ofProblem(problem: ProblemId): PauseDocument<ProblemId> | undefined;
  readonly refresh: Repeat;
}

const INTERVAL_MS = 1_000;
/** What a server parked that did not know yet that the problem goes on is found after so long at most, milliseconds. */
const SWEEP_MS = 5_000;

const byId = <Id extends QueueId | ProblemId>(
  pauses: readonly PauseDocument<Id>[],
): ReadonlyMap<Id, PauseDocument<Id>> => new Map(pauses.map((pause) => [pause._id, pause]));

export function createPaused(deps: {
  readonly pauses: Pick<Pauses, "list">;
  readonly problemPauses: Pick<Pauses<ProblemId>, "list">;
  readonly held: Pick<Held, "parked" | "unpark">;
  /** A queue or a problem goes on. */
  readonly resumed: () => void;
  readonly clock: Clock;
  readonly log: Log;
}): Paused {
  let known = false;
  let queues: ReadonlyMap<QueueId, PauseDocument> = new Map();
  let problems: ReadonlyMap<ProblemId, PauseDocument<ProblemId>> = new Map();
  let sweptAtMs = -Infinity;

  /** Puts what waits for a problem that is not paused any more into line again. */
  async function sweep(): Promise<void> {
    sweptAtMs = deps.clock.now();
    for (const problem of await deps.held.parked()) {
      if (problems.has(problem)) continue;
      await deps.held.unpark(problem);
      deps.resumed();
    }
  }

  return {
    known: () => known,
    of: (queue) => queues.get(queue),
    ofProblem: (problem) => problems.get(problem),
    refresh: repeat({
      name: "paused",
      intervalMs: INTERVAL_MS,
      log: deps.log,
      async act() {
        const [queuesNow, problemsNow] = await Promise.all([deps.pauses.list(), deps.problemPauses.list()]);
        const before = { queues, problems };
        queues = byId(queuesNow);
        problems = byId(problemsNow);
        const first = !known;
        known = true;
        if (first || [...before.queues.keys()].some((queue) => !queues.has(queue))) deps.resumed();
        const goesOn = [...before.problems.keys()].some((problem) => !problems.has(problem));
        if (goesOn || deps.clock.now() - sweptAtMs >= SWEEP_MS) await sweep();
      },
    }),
  };
}
