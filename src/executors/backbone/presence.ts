import type { Clock } from "../../shared/clock.ts";
import type { ExecutorId } from "../../shared/ids.ts";
import { lanesOf } from "../../shared/lane.ts";
import type { Service } from "../../shared/lifecycle.ts";
import { encodeJson } from "../../shared/nats.ts";
import { BOUNDS } from "../../shared/limits.ts";
import type { Presence } from "../../shared/protocol.ts";
import { PRESENCE_INTERVAL_MS, subjects, type Topology } from "../../shared/topology.ts";
import type { Board } from "./board.ts";
import { createChange, nextChange, pause } from "./change.ts";
import type { Connection } from "./connection.ts";
import type { Health } from "./health.ts";
import type { Offer } from "./offer.ts";
import type { Pool } from "./pool.ts";

export interface PresenceDeps {
  readonly connection: Connection;
  readonly topology: Topology;
  readonly board: Board;
  readonly health: Health;
  readonly offer: Offer;
  readonly clock: Clock;
  readonly executor: ExecutorId;
  readonly pool: Pool;
  readonly version: string;
  readonly draining: () => boolean;
}

/** Two messages are at least so far apart, so that a busy executor does not flood. */
const LEAST_INTERVAL_MS = 100;

export interface PresenceService extends Service {
  state(): Presence["state"];
}

/** Cut to what the protocol takes: an executor must not be unheard for a long message of a compiler. */
export function boundedPresence(presence: Presence): Presence {
  const said = (text: string): string => text.slice(0, BOUNDS.presenceCharacters.value);
  const few = <T>(all: readonly T[]): T[] => all.slice(0, BOUNDS.presenceEntries.value);
  const { reason } = presence;
  return {
    ...presence,
    pool: said(presence.pool),
    languages: few(presence.languages).map(({ id, version }) => ({ id, version: said(version) })),
    notOffered: few(presence.notOffered).map((one) => ({ id: one.id, reason: said(one.reason) })),
    running: few(presence.running),
    ...(reason === undefined ? {} : { reason: said(reason) }),
    version: said(presence.version),
  };
}

/** Says every two seconds, and when something changes, what this executor offers and does. */
export function createPresence(deps: PresenceDeps): PresenceService {
  const { board, health, offer, pool, connection } = deps;
  const startedAtMs = deps.clock.now();
  const change = createChange();
  const stopped = new AbortController();
  let dirty = false;
  let loop: Promise<void> | undefined;
  let unlisten: (() => void)[] = [];

  const state = (): Presence["state"] => {
    if (deps.draining()) return "draining";
    if (loop === undefined) return "starting";
    if (health.reason() !== undefined) return "unhealthy";
    return pool.hold() === undefined ? "ready" : "paused";
  };

  const say = (): void => {
    dirty = false;
    if (!connection.up()) return;
    const hold = pool.hold();
    const held =
      hold === undefined ? undefined : `the pool ${pool.setup.pool} is ${hold.mode}: ${hold.reason}`;
    const reason = health.reason() ?? held;
    const told = pool.told();
    const presence: Presence = {
      executor: deps.executor,
      pool: pool.setup.pool,
      languages: [...offer.offered()],
      notOffered: [...offer.notOffered()],
      lanes: [...lanesOf(pool.lanes())],
      weights: pool.lanes(),
      slots: pool.slots(),
      contestReserved: pool.contestReserved(),
      can: { lanes: [...lanesOf(pool.setup.lanes)], slots: pool.setup.mostSlots },
      ...(told === undefined ? {} : { poolChange: told }),
      running: board.all().map(({ submission, language, sinceMs }) => ({ submission, language, sinceMs })),
      state: state(),
      ...(reason === undefined ? {} : { reason }),
      version: deps.version,
      startedAtMs,
    };
    connection.nats.publish(
      subjects.presence(deps.topology, deps.executor),
      encodeJson(boundedPresence(presence)),
    );
  };

  const repeat = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      say();
      await pause(LEAST_INTERVAL_MS, stopped.signal);
      if (!dirty) await nextChange(change, PRESENCE_INTERVAL_MS - LEAST_INTERVAL_MS, stopped.signal);
    }
  };

  const note = (): void => {
    dirty = true;
    change.notify();
  };

  return {
    name: "presence",
    state,
    start: () => {
      if (loop !== undefined) return Promise.resolve();
      unlisten = [board, health, offer, pool, connection].map(({ change: c }) => c.listen(note));
      // A turn later, so that the first message already says "ready".
      loop = Promise.resolve().then(repeat);
      return Promise.resolve();
    },
    stop: async () => {
      for (const end of unlisten) end();
      stopped.abort();
      await loop;
      say();
    },
  };
}
