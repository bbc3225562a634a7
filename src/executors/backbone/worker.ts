import { type Lane, lanesOf } from "../../shared/lane.ts";
import type { QueueId } from "../../shared/queue.ts";
import type { Service } from "../../shared/lifecycle.ts";
import type { Log } from "../../shared/log.ts";
import { subjects, type Topology } from "../../shared/topology.ts";
import type { LentSlot } from "../work.ts";
import type { Board } from "./board.ts";
import { createChange, nextChange, pause } from "./change.ts";
import type { Connection } from "./connection.ts";
import type { Delivery } from "./delivery.ts";
import type { Health } from "./health.ts";
import type { Lending } from "./lending.ts";
import type { ExecutorMetrics } from "./metrics.ts";
import type { Offer } from "./offer.ts";
import type { Pool } from "./pool.ts";
import type { Puller } from "./pull.ts";
import { createTurns, openLanes, type Place, roomIn, type SlotUse } from "./turns.ts";

export interface WorkerDeps {
  readonly connection: Connection;
  readonly topology: Topology;
  readonly puller: Puller;
  readonly board: Board;
  readonly health: Health;
  readonly offer: Offer;
  readonly metrics: ExecutorMetrics;
  readonly monotonic: () => number;
  readonly log: Log;
  readonly pool: Pool;
  /** How long `stop`, or a drain of the pool, lets running jobs finish before it gives them back, milliseconds. */
  readonly finishMs: number;
  /** So long no job is taken at the start when no server has told of the pool, milliseconds. */
  readonly hearPoolMs: number;
  readonly lending: Lending;
  /** Resolves when the slot is free again; never rejects. */
  readonly hold: (delivery: Delivery, language: QueueId, slot: number) => Promise<void>;
}

export interface Worker extends Service {
  /** Lends a slot to something that is no job, such as a self-test, as soon as one is free. */
  borrow<T>(use: (slot: number) => Promise<T>): Promise<T>;
  /** A free slot for a job that can use more than its own; it stays free for the next job. */
  lendSlot(): LentSlot | undefined;
  draining(): boolean;
}

/** Redelivered jobs give no hint, so every lane is looked at this often, milliseconds. */
const LOOK_INTERVAL_MS = 1_000;
/** A hint can overtake the job it tells of: an empty answer this soon after is asked once more, milliseconds. */
const HINT_TRUST_MS = 20;
const HINT_RETRY_MS = 3;

/** How long stopped jobs may take to be given back, milliseconds. */
export const GIVE_BACK_MS = 2_500;

const NEVER = new AbortController().signal;

const keyOf = (place: Place): string => `${place.language}.${place.lane}`;

/**
 * Takes a job for each free slot, lane by lane, and never holds more jobs than slots. It asks only lanes that may have
 * something: a lane that answered "empty" is left alone until a hint tells of a new job or the next look is due, so
 * an empty queue costs one question per lane and second, and a busy one about one question per job.
 */
export function createWorker(deps: WorkerDeps): Worker {
  const { board, health, offer, pool, log } = deps;
  const { mostSlots } = pool.setup;
  const turns = createTurns();
  const wake = createChange();
  const freeSlots = Array.from({ length: mostSlots }, (_, slot) => slot);
  const running = new Map<Promise<void>, Lane>();
  /** Lanes that were empty when last asked. */
  const empty = new Set<string>();
  const hintedAtMs = new Map<string, number>();
  const stopped = new AbortController();
  let lastLookMs = -Infinity;
  let loop: Promise<void> | undefined;
  let unlisten: (() => void)[] = [];

  const slotUse = (): SlotUse => ({
    slots: pool.slots(),
    contestReserved: pool.contestReserved(),
    running: [...running.values()],
  });
  /** How many slots are free, of those that the pool has now. */
  const freeNow = (): number => Math.max(0, pool.slots() - (mostSlots - freeSlots.length));

  const giveBack = (...slots: number[]): void => {
    freeSlots.push(...slots);
    freeSlots.sort((a, b) => a - b);
    wake.notify();
  };

  const freeAfter = async (held: Promise<void>, slot: number): Promise<void> => {
    await held;
    running.delete(held);
    deps.metrics.slotsBusy.set(running.size);
    giveBack(slot);
  };

  const begin = (delivery: Delivery, place: Place, slot: number): void => {
    turns.taken(place);
    if (delivery.delivery === 1) {
      deps.metrics.waitSeconds.observe(
        { lane: place.lane },
        Math.max(0, Date.now() - delivery.storedAtMs) / 1_000,
      );
    }
    const held = deps.hold(delivery, place.language, slot);
    running.set(held, place.lane);
    deps.metrics.slotsBusy.set(running.size);
    void freeAfter(held, slot);
  };

  /** Asks one lane for a job for each of these slots; how many came. Slots that were taken are gone from the list. */
  const ask = async (place: Place, slots: number[]): Promise<number> => {
    const key = keyOf(place);
    const wanted = slots.length;
    for (let again = false; ; again = true) {
      // Taken as empty before asking: a hint that comes meanwhile takes it out again.
      empty.add(key);
      const askedAtMs = deps.monotonic();
      const pulled = await deps.puller.pull(place.language, place.lane, wanted, (delivery) => {
        const slot = slots.shift();
        if (slot !== undefined) begin(delivery, place, slot);
      });
      deps.metrics.pullSeconds.observe((deps.monotonic() - askedAtMs) / 1_000);
      const taken = wanted - slots.length;
      deps.metrics.pulls.inc({ answer: taken > 0 ? "job" : pulled });
      if (pulled === "all") empty.delete(key);
      const fresh = askedAtMs - (hintedAtMs.get(key) ?? -Infinity) < HINT_TRUST_MS;
      if (taken > 0 || pulled === "failed" || again || !fresh) return taken;
      await pause(HINT_RETRY_MS, stopped.signal);
    }
  };

  /**
   * Asks the lanes in order until one gives something; false when none does. One job at a time where several lanes may
   * have some, so that their order holds; all that fits where only one has.
   */
  const takeSome = async (): Promise<boolean> => {
    const languages = offer.offered().map((language) => language.id);
    const lanes = pool.lanes();
    const places = turns
      .order(openLanes(lanes, slotUse()), languages)
      .filter((place) => !empty.has(keyOf(place)));
    for (const place of places) {
      const alone = places.every((other) => other === place || empty.has(keyOf(other)));
      // Kept from the start: a slot must not be lent to another while a job for it is on its way.
      const free = freeNow();
      const slots = freeSlots.splice(0, Math.min(free, alone ? roomIn(place.lane, lanes, slotUse()) : 1));
      if (slots.length === 0) return false;
      const taken = await ask(place, slots);
      if (slots.length > 0) giveBack(...slots);
      if (taken > 0) return true;
      if (stopped.signal.aborted || health.reason() !== undefined || pool.hold() !== undefined) return false;
    }
    return false;
  };

  const work = async (): Promise<void> => {
    const patience = AbortSignal.any([stopped.signal, AbortSignal.timeout(deps.hearPoolMs)]);
    while (pool.told() === undefined && deps.hearPoolMs > 0 && !patience.aborted)
      await nextChange(wake, deps.hearPoolMs, patience);
    while (!stopped.signal.aborted) {
      const healthy = health.reason() === undefined;
      deps.metrics.healthy.set(healthy ? 1 : 0);
      if (!healthy || freeNow() === 0 || pool.hold() !== undefined) {
        await nextChange(wake, LOOK_INTERVAL_MS, stopped.signal);
        continue;
      }
      if (deps.monotonic() - lastLookMs >= LOOK_INTERVAL_MS) {
        lastLookMs = deps.monotonic();
        empty.clear();
      }
      if (await takeSome()) continue;
      const places = turns.order(
        openLanes(pool.lanes(), slotUse()),
        offer.offered().map((language) => language.id),
      );
      if (places.every((place) => empty.has(keyOf(place)))) {
        await nextChange(wake, LOOK_INTERVAL_MS - (deps.monotonic() - lastLookMs), stopped.signal);
      }
    }
  };

  const hint = (language: QueueId, lane: Lane): void => {
    const key = keyOf({ language, lane });
    hintedAtMs.set(key, deps.monotonic());
    empty.delete(key);
    wake.notify();
  };

  let drainTimer: NodeJS.Timeout | undefined;
  const poolChanged = (): void => {
    deps.metrics.slots.set(pool.slots());
    wake.notify();
    clearTimeout(drainTimer);
    if (pool.hold()?.mode !== "draining") return;
    drainTimer = setTimeout(() => {
      for (const held of board.all()) held.stop("draining");
    }, deps.finishMs);
  };

  const drain = async (): Promise<void> => {
    clearTimeout(drainTimer);
    const patience = AbortSignal.timeout(deps.finishMs);
    while (running.size > 0 && !patience.aborted) await nextChange(wake, deps.finishMs, patience);
    for (const held of board.all()) held.stop("draining");
    // With NATS away nobody can be told; then the leases run out, and the jobs go on elsewhere all the same.
    const lastWords = AbortSignal.timeout(GIVE_BACK_MS);
    while (running.size > 0 && !lastWords.aborted) await nextChange(wake, GIVE_BACK_MS, lastWords);
  };

  return {
    name: "worker",
    draining: () => stopped.signal.aborted,
    lendSlot: () => deps.lending.lend(freeSlots.slice(0, freeNow())),
    borrow: async (use) => {
      while (freeNow() === 0) await nextChange(wake, LOOK_INTERVAL_MS, NEVER);
      const slot = freeSlots.shift();
      if (slot === undefined) throw new Error("a free slot is not there");
      try {
        await deps.lending.ready(slot);
        return await use(slot);
      } finally {
        giveBack(slot);
      }
    },
    start: () => {
      if (loop !== undefined || stopped.signal.aborted) return Promise.resolve();
      poolChanged();
      const subscriptions = deps.offer.known().flatMap((language) =>
        lanesOf(pool.setup.lanes).map((lane) =>
          deps.connection.nats.subscribe(subjects.hint(deps.topology, language, lane), {
            callback: () => hint(language, lane),
          }),
        ),
      );
      unlisten = [
        health.change.listen(() => wake.notify()),
        offer.change.listen(() => wake.notify()),
        pool.change.listen(poolChanged),
        deps.connection.change.listen(() => empty.clear()),
        ...subscriptions.map((subscription) => () => subscription.unsubscribe()),
      ];
      loop = work();
      return Promise.resolve();
    },
    stop: async () => {
      if (stopped.signal.aborted) return;
      stopped.abort();
      log.info({ running: running.size }, "draining");
      board.change.notify();
      for (const end of unlisten) end();
      await loop;
      await drain();
    },
  };
}
