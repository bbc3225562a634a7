import { laneDepths } from "../broker/jobs.ts";
import type { Link } from "../broker/link.ts";
import { LANES, type Lane } from "../../shared/lane.ts";
import { type QueueId, queuesOf } from "../../shared/queue.ts";
import type { Log } from "../../shared/log.ts";
import { type Repeat, repeat } from "../../shared/repeat.ts";
import type { Topology } from "../../shared/topology.ts";

const REFRESH_MS = 1_000;
/** A window that runs low is counted again after so long already, milliseconds: ten times its size goes out a second. */
const SOON_MS = 100;
/** Less room than this part of the size is low. */
const LOW = 1 / 4;

/**
 * How many more jobs each language and lane may have in its stream. An estimate: the broker's count, at most about
 * a second old, a tenth of that while room is short and jobs come and go, and what this server has published since.
 * Other servers can overshoot it by a second's worth.
 */
export interface Window {
  room(language: QueueId, lane: Lane): number;
  /** Do others wait in MongoDB already, so that a new one has to queue behind them? Known to the outbox. */
  behind(language: QueueId, lane: Lane): boolean;
  setBehind(language: QueueId, lane: Lane, behind: boolean): void;
  /** A job is about to be published. To be told when that is over, either way: only then may a count know of it. */
  took(language: QueueId, lane: Lane): () => void;
  /** A job has come to its end: perhaps there is room again. */
  freed(language: QueueId, lane: Lane): void;
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
  /** There is room where there was none and somebody waits. */
  readonly refilled: () => void;
  /** Between two counts while nothing is short, milliseconds. */
  readonly refreshMs?: number;
  readonly log: Log;
}): Window {
  const { link, topology, size, log, refreshMs = REFRESH_MS } = deps;
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
  const roomOf = ({ counted, since }: Gauge): number => Math.max(0, size - counted - since);

  async function count(language: QueueId): Promise<void> {
    low.delete(language);
    const before = new Map(
      LANES.map((lane) => [lane, gauge(language, lane).since - gauge(language, lane).flying]),
    );
    const depths = await laneDepths({ jsm: link.use().jsm, topology }, language);
    for (const lane of LANES) {
      const depth = depths.get(lane);
      const one = gauge(language, lane);
      const none = roomOf(one) === 0;
      one.counted = depth === undefined ? 0 : depth.waiting + depth.running;
      one.since -= before.get(lane) ?? 0;
      if (none && one.behind && roomOf(one) > 0) deps.refilled();
    }
  }

  /** Queues to be counted again soon. */
  const low = new Set<QueueId>();
  let soon: NodeJS.Timeout | undefined;
  let turnAtMs = -Infinity;

  /** Something came or went: with little room left the next count does not wait for its turn. */
  function note(language: QueueId, one: Gauge): void {
    if (roomOf(one) >= size * LOW) return;
    low.add(language);
    soon ??= setTimeout(() => {
      soon = undefined;
      refresh.wake();
    }, SOON_MS);
  }

  let whole = true;
  link.onUp(async () => {
    whole = true;
    refresh.wake();
  });
  const refresh = repeat({
    name: "window",
    intervalMs: refreshMs,
    log,
    async act() {
      if (!link.connected()) return;
      const now = performance.now();
      // Being woken for one puts off the turn of all: they come then, when half of their time is over.
      const turn = whole || now - turnAtMs >= refreshMs / 2;
      // What is empty and was not published to needs no look.
      const busy = queues.filter((language) =>
        turn
          ? whole || LANES.some((lane) => gauge(language, lane).counted + gauge(language, lane).since > 0)
          : low.has(language),
      );
      await Promise.all(busy.map(count));
      if (turn) turnAtMs = now;
      whole = false;
    },
  });

  return {
    refresh: {
      ...refresh,
      async stop() {
        clearTimeout(soon);
        await refresh.stop();
      },
    },
    room: (language, lane) => roomOf(gauge(language, lane)),
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
        note(language, one);
      };
    },
    freed: (language, lane) => {
      // What was handed in when this deployment still had a queue for it may end now.
      const known = gauges.get(language)?.get(lane);
      if (known !== undefined) note(language, known);
    },
  };
}
