import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../shared/clock.ts";
import type { Service } from "../../shared/lifecycle.ts";
import type { Log } from "../../shared/log.ts";
import type { Topology } from "../../shared/topology.ts";
import { announce } from "../broker/announce.ts";
import type { Link } from "../broker/link.ts";
import { type JudgementDocument, revisionOf } from "../store/documents.ts";
import type { Judgements } from "../store/judgements.ts";

/** Turns PENDING into QUEUED for jobs that the broker has confirmed, together and a little later. */
export interface QueuedMarker extends Service {
  mark(judgement: JudgementDocument): void;
}

/** Long enough to gather many, short enough to beat a person's eye, milliseconds. */
const GATHER_MS = 50;

/**
 * Losing a mark is harmless: the judgement stays PENDING, the outbox publishes the same message id again, the
 * broker says that it is there, and it is marked anew. One that an executor has started meanwhile is left alone.
 */
export function createQueuedMarker(deps: {
  readonly judgements: Judgements;
  readonly link: Link;
  readonly topology: Topology;
  readonly clock: Clock;
  readonly log: Log;
}): QueuedMarker {
  let gathered: JudgementDocument[] = [];
  let flushing: Promise<void> | undefined;

  async function write(): Promise<void> {
    const group = gathered;
    gathered = [];
    try {
      await deps.judgements.markQueued(
        group.map((judgement) => ({ id: judgement._id, dispatch: judgement.dispatch })),
        new Date(deps.clock.now()),
      );
    } catch (error) {
      deps.log.warn({ err: error, count: group.length }, "could not mark as queued; the outbox will");
      return;
    }
    for (const { submission, generation, change } of group) {
      const queued = { generation, change: change + 1, state: "QUEUED" } as const;
      announce(deps, submission, { revision: revisionOf(queued), final: false });
    }
  }

  async function flush(): Promise<void> {
    while (gathered.length > 0) {
      await sleep(GATHER_MS);
      await write();
    }
  }

  return {
    name: "queued",
    mark(judgement) {
      gathered.push(judgement);
      flushing ??= flush().finally(() => {
        flushing = undefined;
      });
    },
    start: async () => undefined,
    async stop() {
      await flushing;
    },
  };
}
