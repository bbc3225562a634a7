import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../../shared/clock.ts";
import type { CrashPoint } from "../../shared/crashpoint.ts";
import { judgementId, type JudgementId } from "../../shared/ids.ts";
import type { JudgeEvent } from "../../shared/protocol.ts";
import { createRecent, type Evicted } from "../../shared/recent.ts";
import { announce } from "../broker/announce.ts";
import { isFinal, type JudgementDocument, revisionOf } from "../store/documents.ts";
import type { Judgements } from "../store/judgements.ts";
import { advance } from "./advance.ts";
import { traceRecord } from "../intake/judgementtrace.ts";
import { excuse, type HeardOf } from "./excuse.ts";
import { settle, type SettleDeps } from "./settle.ts";

export interface RecordDeps extends SettleDeps {
  readonly judgements: Judgements;
  readonly clock: Clock;
  /** Limit `tries`. */
  readonly tries: number;
  readonly crash: CrashPoint;
  readonly heardOf: HeardOf;
  readonly evicted: Evicted;
}

export type Recorded = "recorded" | "stale" | "unknown";

/**
 * Applies events of one judgement, together, in one guarded write. Safe to repeat and to run anywhere at once: a
 * write that met another is computed anew from what is stored now. Throws StoreUnavailable.
 */
export function createRecord(
  deps: RecordDeps,
): (events: readonly [JudgeEvent, ...JudgeEvent[]]) => Promise<Recorded> {
  const { judgements, clock, crash } = deps;
  /** Spare a read; a wrong memory only costs a failed guarded write. Final ones answer repeated events, for a while. */
  const remembered = createRecent<JudgementId, JudgementDocument>("rememberedJudgements", deps.evicted);
  const remember = (judgement: JudgementDocument): void => remembered.set(judgement._id, judgement);

  return async (events) => {
    const id = judgementId(events[0].submission, events[0].generation);
    for (let go = 0; ; go++) {
      const stored = (go === 0 ? remembered.get(id) : undefined) ?? (await judgements.get(id));
      if (stored === undefined) return "unknown";
      const tries = isFinal(stored.state) ? stored.tries : excuse(stored.tries, deps.heardOf);
      const before = tries === stored.tries ? stored : { ...stored, tries };
      let next = before;
      for (const event of events) {
        const step = advance(next, event, { tries: deps.tries, now: new Date(clock.now()) });
        if (step.type === "changed") next = step.judgement;
      }
      if (next === before) {
        remember(stored);
        // Somebody may have missed it: the announcement of a write that a crash cut off comes with the repetition.
        deps.stored(stored);
        announce(deps, stored.submission, { revision: revisionOf(stored), final: isFinal(stored.state) });
        return "stale";
      }
      const written = { ...next, change: stored.change + 1 };
      const startMs = clock.now();
      if (await judgements.replaceIfUnchanged(written)) {
        traceRecord(deps, { judgement: written, startMs, events: events.length });
        remember(written);
        crash("results.afterWrite");
        await settle(deps, written);
        return "recorded";
      }
      remembered.delete(id);
      if (go > 5) await sleep(Math.min(200, go * 10));
    }
  };
}
