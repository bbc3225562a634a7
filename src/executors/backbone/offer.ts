import type { LanguageId } from "../../shared/language.ts";
import type { Service } from "../../shared/lifecycle.ts";
import type { Log } from "../../shared/log.ts";
import type { FaultCode } from "../../shared/protocol.ts";
import { type Change, createChange, nextChange } from "./change.ts";

/** Which languages this executor takes jobs in right now. */
export interface Offer extends Service {
  /** All languages that this executor was told to offer. */
  known(): readonly LanguageId[];
  offered(): readonly { readonly id: LanguageId; readonly version: string }[];
  notOffered(): readonly { readonly id: LanguageId; readonly reason: string }[];
  has(language: LanguageId): boolean;
  /** How a job in `language` ended: undefined when without a fault. */
  note(language: LanguageId, fault: FaultCode | undefined): void;
  readonly change: Change;
}

export type TestedLanguage =
  | { readonly id: LanguageId; readonly version: string }
  | { readonly id: LanguageId; readonly reason: string };

interface OfferDeps {
  /** Result of the self-test at start. */
  readonly tested: readonly TestedLanguage[];
  /** Runs the language's self-test anew, through the real sandbox. */
  readonly retest: (language: LanguageId) => Promise<TestedLanguage>;
  readonly log: Log;
}

/** So many faults of the machinery one after the other take the language out. */
export const FAULTS_IN_A_ROW = 3;
const MACHINERY: ReadonlySet<FaultCode> = new Set(["SANDBOX_FAILED", "TOOLCHAIN_BROKEN"]);
const RETEST_MS = [1_000, 5_000, 15_000, 60_000] as const;

const isOffered = (tested: TestedLanguage): boolean => "version" in tested;

export function createOffer(deps: OfferDeps): Offer {
  const { log } = deps;
  const languages = new Map<LanguageId, TestedLanguage>(deps.tested.map((tested) => [tested.id, tested]));
  const streaks = new Map<LanguageId, number>();
  const change = createChange();
  let stopped = new AbortController();
  let loop: Promise<void> | undefined;

  const broken = (): LanguageId[] => [...languages.values()].filter((t) => !isOffered(t)).map((t) => t.id);

  const retested = async (id: LanguageId): Promise<TestedLanguage> => {
    try {
      return await deps.retest(id);
    } catch (error) {
      return { id, reason: `its self-test cannot be run: ${String(error)}` };
    }
  };

  const heal = async (): Promise<void> => {
    let failures = 0;
    while (!stopped.signal.aborted) {
      if (broken().length === 0) {
        failures = 0;
        await nextChange(change, 60_000, stopped.signal);
        continue;
      }
      const waitMs = RETEST_MS[Math.min(failures++, RETEST_MS.length - 1)] ?? 0;
      await nextChange(createChange(), waitMs, stopped.signal);
      if (stopped.signal.aborted) return;
      for (const id of broken()) {
        const tested = await retested(id);
        languages.set(id, tested);
        if (!isOffered(tested)) continue;
        log.info({ language: id }, "language passes its self-test again; offered");
        streaks.delete(id);
        change.notify();
      }
    }
  };

  return {
    name: "offer",
    change,
    known: () => [...languages.keys()],
    offered: () => [...languages.values()].filter((tested) => "version" in tested),
    notOffered: () => [...languages.values()].filter((tested) => "reason" in tested),
    has: (language) => {
      const tested = languages.get(language);
      return tested !== undefined && isOffered(tested);
    },
    note: (language, fault) => {
      const streak = fault !== undefined && MACHINERY.has(fault) ? (streaks.get(language) ?? 0) + 1 : 0;
      streaks.set(language, streak);
      const tested = languages.get(language);
      if (streak < FAULTS_IN_A_ROW || tested === undefined || !isOffered(tested)) return;
      const reason = `${streak} jobs in a row ended with ${fault}; offered again when its self-test passes`;
      log.error({ language, reason }, "language taken out");
      languages.set(language, { id: language, reason });
      change.notify();
    },
    start: () => {
      if (loop === undefined) {
        stopped = new AbortController();
        loop = heal();
      }
      return Promise.resolve();
    },
    stop: async () => {
      stopped.abort();
      await loop;
      loop = undefined;
    },
  };
}
