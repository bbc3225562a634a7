import { Gauge, type Registry } from "prom-client";
import type { Clock } from "../../shared/clock.ts";
import { FAULTS } from "../../shared/errors.ts";
import { eventStreamOf, RECORDER_CONSUMER, type Topology } from "../../shared/topology.ts";
import type { Link } from "../broker/link.ts";
import type { DeadLetter } from "../store/documents.ts";
import { type StateCount, UNFINISHED } from "../store/judgements.ts";
import type { Store } from "../store/store.ts";

/**
 * Gauges of what waits for something, asked for at each scrape: of all servers the same, so take the max. A gauge is
 * absent from a scrape while what it is read from is away.
 */
export function measureBacklog(deps: {
  readonly registry: Registry;
  readonly store: Pick<Store, "deadLetters">;
  /** Everything unfinished; throws StoreUnavailable. */
  readonly unfinished: { readonly counts: () => Promise<readonly StateCount[]> };
  readonly link: Link;
  readonly topology: Topology;
  readonly clock: Clock;
}): void {
  const { store, link, clock } = deps;
  const registers = [deps.registry];
  const ages: Gauge<"state"> = new Gauge({
    name: "docket_oldest_unfinished_seconds",
    help: "Age of the oldest unfinished judgement of each state, counted from when it came in; 0 without any",
    labelNames: ["state"],
    registers,
    collect: async (): Promise<void> => {
      ages.reset();
      const now = clock.now();
      const counts = await deps.unfinished.counts().catch(() => undefined);
      if (counts === undefined) return;
      for (const state of UNFINISHED) {
        const own = counts.filter((one) => one.state === state);
        const oldest = Math.min(now, ...own.map((one) => one.oldestAt.getTime()));
        ages.set({ state }, (now - oldest) / 1000);
      }
    },
  });
  const dead: Gauge<"code"> = new Gauge({
    name: "docket_dead_letters",
    help: "Judgements that were given up and wait for somebody to redrive or discard them, by code",
    labelNames: ["code"],
    registers,
    collect: async (): Promise<void> => {
      dead.reset();
      const counts = await store.deadLetters.counts().catch(() => undefined);
      if (counts === undefined) return;
      for (const code of Object.keys(FAULTS) as DeadLetter["code"][])
        dead.set({ code }, counts.get(code) ?? 0);
    },
  });
  const unread: Gauge = new Gauge({
    name: "docket_judge_events_unread",
    help: "Judge events that wait for the recorder",
    registers,
    collect: async (): Promise<void> => {
      unread.remove();
      if (!link.connected()) return;
      const info = await link
        .use()
        .jsm.consumers.info(eventStreamOf(deps.topology), RECORDER_CONSUMER)
        .catch(() => undefined);
      if (info) unread.set(info.num_pending + info.num_ack_pending);
    },
  });
}
