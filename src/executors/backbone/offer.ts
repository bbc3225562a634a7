import type { QueueId } from "../../shared/queue.ts";
import type { Service } from "../../shared/lifecycle.ts";
import type { Log } from "../../shared/log.ts";
import type { FaultCode } from "../../shared/protocol.ts";
import { type Change, createChange, pause } from "./change.ts";
import { createStreaks } from "./streaks.ts";

/** Which languages this executor takes jobs in right now. */
export interface Offer extends Service {
  /** All languages that this executor was told to offer. */
  known(): readonly QueueId[];
  offered(): readonly { readonly id: QueueId; readonly version: string }[];
  notOffered(): readonly { readonly id: QueueId; readonly reason: string }[];
  has(language: QueueId): boolean;
  /** Worked before and was taken out because its jobs kept failing. */
  takenOut(language: QueueId): boolean;
  /** How a job in `language` ended: undefined when without a fault. */
  note(language: QueueId, fault: FaultCode | undefined, submission: string): void;
  /**
   * By an operator's word: what was taken out is offered again at once, and what never worked here is tested now. All
   * languages without one.
   */
  reinstate(language?: QueueId): void;
  readonly change: Change;
}

export type TestedLanguage =
  | { readonly id: QueueId; readonly version: string }
  | { readonly id: QueueId; readonly reason: string };

interface OfferDeps {
  /** Result of the self-test at start. */
  readonly tested: readonly TestedLanguage[];
  /** Runs the language's self-test anew, through the real sandbox. */
  readonly retest: (language: QueueId) => Promise<TestedLanguage>;
  readonly log: Log;
}

const RETEST_MS = [1_000, 5_000, 15_000, 60_000] as const;
/** Taken out so often without one good job in between, a language stays out: its self-test proves too little. */
const RELAPSES = 4;

const BY_TEST = "offered again when its self-test passes";
const BY_HAND =
  "its self-test passes, its jobs fail: put it back by hand (docket reinstate) when it is mended";

/** A language as this executor sees it. */
interface Entry {
  tested: TestedLanguage;
  /** Its version when it worked last. */
  version?: string;
  /** How often it was taken out since its last good job. */
  relapses: number;
  /** Why it was taken out. */
  why?: string | undefined;
  healing?: { readonly stop: AbortController; readonly done: Promise<void> } | undefined;
}

export function createOffer(deps: OfferDeps): Offer {
  const { log } = deps;
  const entries = new Map<QueueId, Entry>(
    deps.tested.map((tested) => [
      tested.id,
      { tested, relapses: 0, ...("version" in tested ? { version: tested.version } : {}) },
    ]),
  );
  const streaks = createStreaks();
  const change = createChange();
  let running = false;

  const isOffered = (entry: Entry): boolean => "version" in entry.tested;

  function set(entry: Entry, tested: TestedLanguage): void {
    entry.tested = tested;
    if ("version" in tested) {
      entry.version = tested.version;
      entry.why = undefined;
    }
    change.notify();
  }

  /** Tests after growing pauses, the first of which is `RETEST_MS[from]`, until it passes or is stopped. */
  async function heal(id: QueueId, entry: Entry, from: number, signal: AbortSignal): Promise<void> {
    for (let attempt = from; ; attempt++) {
      const waitMs = attempt < 0 ? 0 : (RETEST_MS[Math.min(attempt, RETEST_MS.length - 1)] ?? 0);
      await pause(waitMs, signal);
      if (signal.aborted) return;
      const tested = await deps.retest(id).catch((error: unknown): TestedLanguage => ({
        id,
        reason: `its self-test cannot be run: ${String(error)}`,
      }));
      if (signal.aborted) return;
      if ("reason" in tested) {
        const reason =
          entry.why === undefined
            ? tested.reason
            : `${entry.why}; its self-test fails, too: ${tested.reason}`;
        set(entry, { id, reason });
        continue;
      }
      set(entry, tested);
      log.info({ language: id }, "language passes its self-test again; offered");
      return;
    }
  }

  function startHealing(id: QueueId, entry: Entry, from: number): void {
    if (!running) return;
    entry.healing?.stop.abort();
    const stop = new AbortController();
    entry.healing = { stop, done: heal(id, entry, from, stop.signal) };
  }

  function takeOut(id: QueueId, entry: Entry, why: string): void {
    streaks.forget(id);
    if (!isOffered(entry)) return;
    entry.relapses += 1;
    entry.why = why;
    const forGood = entry.relapses >= RELAPSES;
    const reason = `${why}; ${forGood ? BY_HAND : BY_TEST}`;
    log.error({ language: id, reason }, "language taken out");
    set(entry, { id, reason });
    // Each time it waits longer: a self-test that passes while jobs fail must not use up job after job.
    if (!forGood) startHealing(id, entry, entry.relapses - 1);
  }

  return {
    name: "offer",
    change,
    known: () => [...entries.keys()],
    offered: () => [...entries.values()].flatMap(({ tested }) => ("version" in tested ? [tested] : [])),
    notOffered: () => [...entries.values()].flatMap(({ tested }) => ("reason" in tested ? [tested] : [])),
    has: (language) => {
      const entry = entries.get(language);
      return entry !== undefined && isOffered(entry);
    },
    takenOut: (language) => {
      const entry = entries.get(language);
      return entry?.version !== undefined && !isOffered(entry);
    },
    note: (language, fault, submission) => {
      const entry = entries.get(language);
      if (entry === undefined) return;
      if (fault === undefined) entry.relapses = 0;
      const sick = streaks.note(language, fault, submission);
      if (sick === undefined) return;
      for (const [id, one] of sick.all ? entries : [[language, entry] as const]) takeOut(id, one, sick.why);
    },
    reinstate: (language) => {
      for (const [id, entry] of entries) {
        if ((language !== undefined && language !== id) || isOffered(entry)) continue;
        entry.relapses = 0;
        entry.healing?.stop.abort();
        log.warn({ language: id }, "put back by hand");
        if (entry.version === undefined) startHealing(id, entry, -1);
        else set(entry, { id, version: entry.version });
      }
    },
    start: () => {
      if (running) return Promise.resolve();
      running = true;
      for (const [id, entry] of entries) if (!isOffered(entry)) startHealing(id, entry, 0);
      return Promise.resolve();
    },
    stop: async () => {
      running = false;
      for (const { healing } of entries.values()) healing?.stop.abort();
      await Promise.all([...entries.values()].flatMap(({ healing }) => healing?.done ?? []));
    },
  };
}
