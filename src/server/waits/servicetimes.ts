import type { Service } from "../../shared/lifecycle.ts";
import type { Log } from "../../shared/log.ts";
import type { ProblemId } from "../../shared/ids.ts";
import type { QueueId } from "../../shared/queue.ts";
import { keep } from "../kept.ts";
import type { JudgementDocument } from "../store/documents.ts";
import type { Measured, ServiceTimes as Stored } from "../store/servicetimes.ts";

/** How long a job takes on an executor, as far as anybody has seen it. */
export type ServiceMs = (queue: QueueId, problem?: ProblemId) => number | undefined;

export interface ServiceTimes extends Service {
  /** A judgement has its final state. */
  ended(judgement: JudgementDocument): void;
  /** As all servers have measured it, seconds ago at most. Throws StoreUnavailable. */
  read(): Promise<ServiceMs>;
}

const FLUSH_MS = 1_000;
const KEEP_MS = 2_000;
/** Problems and languages that somebody submitted to lately. */
const NEWEST = 2_000;

/** How long its last holder had the slot, by that executor's own clock, milliseconds. */
export function serviceMsOf({ state, tries }: JudgementDocument): number | undefined {
  const last = tries.findLast((one) => one.end?.type === "finished");
  if (state !== "FINISHED" || last?.end === undefined) return undefined;
  const ms = last.end.at.getTime() - last.startedAt.getTime();
  return ms > 0 ? ms : undefined;
}

/** Measures service times per queue and problem, and shares them over the database. */
export function createServiceTimes(deps: { readonly stored: Stored; readonly log: Log }): ServiceTimes {
  const { stored, log } = deps;
  let gathered = new Map<string, Measured>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  function add(queue: QueueId, problem: ProblemId | undefined, ms: number): void {
    const key = `${queue}/${problem ?? ""}`;
    const { sumMs, count } = gathered.get(key) ?? { sumMs: 0, count: 0 };
    gathered.set(key, { queue, problem, sumMs: sumMs + ms, count: count + 1 });
  }

  function flush(): void {
    timer = undefined;
    const measured = [...gathered.values()];
    gathered = new Map();
    writing = writing
      .then(() => stored.add(measured))
      .catch((error: unknown) => log.debug({ err: error }, "could not store service times"));
  }

  const read = keep({
    keepMs: KEEP_MS,
    read: async (): Promise<ServiceMs> => {
      const known = new Map((await stored.newest(NEWEST)).map(({ _id, meanMs }) => [_id, meanMs]));
      return (queue, problem) => known.get(`${queue}/${problem ?? ""}`) ?? known.get(`${queue}/`);
    },
  });

  return {
    name: "service times",
    read,
    ended(judgement) {
      const ms = serviceMsOf(judgement);
      if (ms === undefined) return;
      add(judgement.language, undefined, ms);
      if (judgement.problem !== undefined) add(judgement.language, judgement.problem, ms);
      timer ??= setTimeout(flush, FLUSH_MS);
    },
    start: () => Promise.resolve(),
    async stop() {
      clearTimeout(timer);
      flush();
      await writing;
    },
  };
}
