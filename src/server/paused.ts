import type { Log } from "../shared/log.ts";
import type { QueueId } from "../shared/queue.ts";
import { type Repeat, repeat } from "../shared/repeat.ts";
import type { PauseDocument, Pauses } from "./store/pauses.ts";

/** Which queues are paused, as every server knows it a second later at most. */
export interface Paused {
  of(queue: QueueId): PauseDocument | undefined;
  readonly refresh: Repeat;
}

const INTERVAL_MS = 1_000;

export function createPaused(deps: {
  readonly pauses: Pick<Pauses, "list">;
  /** A queue goes on. */
  readonly resumed: () => void;
  readonly log: Log;
}): Paused {
  let known = new Map<QueueId, PauseDocument>();
  return {
    of: (queue) => known.get(queue),
    refresh: repeat({
      name: "paused",
      intervalMs: INTERVAL_MS,
      log: deps.log,
      async act() {
        const before = known.size;
        known = new Map((await deps.pauses.list()).map((pause) => [pause._id, pause]));
        if (known.size < before) deps.resumed();
      },
    }),
  };
}
