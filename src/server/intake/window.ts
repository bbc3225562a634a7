import { laneDepths } from "../broker/jobs.ts";
import type { Link } from "../broker/link.ts";
import { LANES, type Lane } from "../../shared/lane.ts";
import { type QueueId, queuesOf } from "../../shared/queue.ts";
import type { Log } from "../../shared/log.ts";
import { type Repeat, repeat } from "../../shared/repeat.ts";
import type { Topology } from "../../shared/topology.ts";

const REFRESH_MS = 1_000;

/**
 * How many more jobs each language and lane may have in its stream. An estimate: the broker's count, at most about
 * a second old, and what this server has published since. Other servers can overshoot it by a second's worth.
 */
export interface Window {
  room(language: QueueId, lane: Lane): number;
  /** Do others wait in MongoDB already, so that a new one has to queue behind them? Known to the outbox. */
  behind(language: QueueId, lane: Lane): boolean;
  setBehind(language: QueueId, lane: Lane, behind: boolean): void;
  /** A job is about to be published. To be told when that is over, either way: only then may a count know of it. */
  took(language: QueueId, lane: Lane): () => void;
  /** Runs in the background. */
  readonly refresh: Repeat;
}

interface Gauge {
  /** The broker's count. */
  counted: number;
  /** Published by this server since that count was asked for. */
  since: number;
  /** Of these, without an answer yet: a count that is asked for now may miss them. */
  flying: number;
  behind: boolean;
}

export function createWindow(deps: {
  readonly link: Link;
  readonly topology: Topology;
  readonly size: number;
  readonly log: Log;
}): Window {
  const { link, topology, size, log } = deps;
  const queues = queuesOf(topology);
  const gauges = new Map<QueueId, Map<Lane, Gauge>>(
    queues.map((language) => [
      language,
      new Map<Lane, Gauge>(LANES.map((lane) => [lane, { counted: 0, since: 0, flying: 0, behind: false }])),
    ]),
  );
  const gauge = (language: QueueId, lane: Lane): Gauge => {
    const found = gauges.get(language)?.get(lane);
    if (found === undefined) throw new Error(`no gauge for ${language} ${lane}`);
    return found;
  };

  async function count(language: QueueId): Promise<void> {
    const before = new Map(
      LANES.map((lane) => [lane, gauge(language, lane).since - gauge(language, lane).flying]),
    );
    const depths = await laneDepths({ jsm: link.use().jsm, topology }, language);
    for (const lane of LANES) {
      const depth = depths.get(lane);
      const one = gauge(language, lane);
      one.counted = depth === undefined ? 0 : depth.waiting + depth.running;
      one.since -= before.get(lane) ?? 0;
    }
  }

  let whole = true;
  link.onUp(async () => {
    whole = true;
    refresh.wake();
  });
  const refresh = repeat({
    name: "window",
    intervalMs: REFRESH_MS,
    log,
    async act() {
      if (!link.connected()) return;
      // What is empty and was not published to needs no look.
      const busy = queues.filter(
        (language) =>
          whole || LANES.some((lane) => gauge(language, lane).counted + gauge(language, lane).since > 0),
      );
      await Promise.all(busy.map(count));
      whole = false;
    },
  });

  return {
    refresh,
    room(language, lane) {
      const { counted, since } = gauge(language, lane);
      return Math.max(0, size - counted - since);
    },
    behind: (language, lane) => gauge(language, lane).behind,
    setBehind(language, lane, behind) {
      gauge(language, lane).behind = behind;
    },
    took(language, lane) {
      const one = gauge(language, lane);
      one.since += 1;
      one.flying += 1;
      return () => {
        one.flying -= 1;
      };
    },
  };
}
