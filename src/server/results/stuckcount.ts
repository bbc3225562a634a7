import { Counter, Gauge, type Registry } from "prom-client";
import type { Clock } from "../../shared/clock.ts";
import type { QueueId } from "../../shared/queue.ts";

/** What the reconciler could not mend, by how long it has tried. */
export interface StuckCount {
  /** What a look at one language has left behind. */
  note(language: QueueId, unmended: readonly string[]): void;
  /** A round of this server has ended. */
  rounded(): void;
  /** Another server looks now. */
  clear(): void;
}

/**
 * `docket_submissions_stuck`: judgements that for longer than `afterMs` were found, look after look, without outbox
 * entry, job, unread event or dead letter, and could not be dispatched. 0 on servers that do not lead.
 */
export function createStuckCount(deps: {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly afterMs: number;
}): StuckCount {
  const registers = [deps.registry];
  /** Since when, by language and judgement. */
  const since = new Map<QueueId, ReadonlyMap<string, number>>();
  const gauge: Gauge = new Gauge({
    name: "docket_submissions_stuck",
    help: "Unfinished judgements that nothing stands for any more and that could not be mended; must be 0",
    registers,
    collect: (): void => {
      const before = deps.clock.now() - deps.afterMs;
      const all = [...since.values()].flatMap((one) => [...one.values()]);
      gauge.set(all.filter((at) => at <= before).length);
    },
  });
  const rounds = new Counter({
    name: "docket_reconciler_rounds_total",
    help: "Rounds of the reconciler on this server; among all servers they must go on",
    registers,
  });
  return {
    note(language, unmended) {
      const known = since.get(language);
      const now = deps.clock.now();
      since.set(language, new Map(unmended.map((id) => [id, known?.get(id) ?? now])));
    },
    rounded: () => rounds.inc(),
    clear: () => since.clear(),
  };
}
