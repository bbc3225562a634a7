import { compareFence, type Fence } from "../../shared/fence.ts";
import { BOUNDS } from "../../shared/limits.ts";
import type { FaultCode, JudgeEvent } from "../../shared/protocol.ts";
import { isFinal, type JudgementDocument, type Try } from "../store/documents.ts";

/** What an event makes of a judgement. */
export type Advance =
  | { readonly type: "changed"; readonly judgement: JudgementDocument }
  /** Repeated, late, or about a final judgement: nothing to write. */
  | { readonly type: "stale" };

export interface AdvanceRules {
  /** Faults and starts without an end that make a dead letter. */
  readonly tries: number;
  readonly now: Date;
}

const STALE: Advance = { type: "stale" };

const fenceOf = (judgement: JudgementDocument): Fence => ({
  generation: judgement.generation,
  dispatch: judgement.dispatch,
  delivery: Math.max(1, judgement.delivery),
});

const isTryOf = (one: Try, fence: Fence): boolean =>
  one.dispatch === fence.dispatch && one.delivery === fence.delivery;

const isOlder = (one: Try, fence: Fence): boolean =>
  one.dispatch < fence.dispatch || (one.dispatch === fence.dispatch && one.delivery < fence.delivery);

/**
 * Tries that count against the job: faults of its own, and holders that started, were replaced, and never said how
 * it ended. The newest holder may still be running and is not counted before it ends.
 */
export function countedTries(tries: readonly Try[], newest: Fence): number {
  return tries.filter((one) =>
    one.end === undefined ? isOlder(one, newest) : one.end.type === "fault" && one.end.shared !== true,
  ).length;
}

function endOf(event: JudgeEvent): NonNullable<Try["end"]> | undefined {
  const at = new Date(event.atMs);
  if (event.type === "fault") {
    const { code, message, log, shared } = event.fault;
    return {
      type: "fault",
      at,
      code,
      message,
      ...(log === undefined ? {} : { log }),
      ...(shared ? { shared } : {}),
    };
  }
  return event.type === "finished" || event.type === "released" ? { type: event.type, at } : undefined;
}

/** The history with what this event says of its holder; the same array when it says nothing new. */
function withTry(tries: readonly Try[], event: JudgeEvent): readonly Try[] {
  const end = endOf(event);
  const known = tries.find((one) => isTryOf(one, event));
  if (known) {
    if (end === undefined || known.end !== undefined) return tries;
    return tries.map((one) => (one === known ? { ...known, end } : one));
  }
  const { dispatch, delivery, executor } = event;
  const made: Try = {
    dispatch,
    delivery,
    executor,
    startedAt: new Date(event.atMs),
    ...(end ? { end } : {}),
  };
  const kept = [...tries, made]
    .toSorted((a, b) => a.dispatch - b.dispatch || a.delivery - b.delivery)
    // A job given back for days by an outage must not grow its document without bound.
    .slice(-BOUNDS.triesKept.value);
  // One older than all that is kept says nothing new, however often it comes.
  return kept.includes(made) ? kept : tries;
}

/** The judgement as a dead letter. */
export function deadLetter(
  judgement: JudgementDocument,
  why: { code: FaultCode | "TRIES_EXHAUSTED"; reason: string },
  now: Date,
): JudgementDocument {
  const { result: _, ...rest } = judgement;
  return {
    ...rest,
    state: "FAILED",
    deadLetter: { ...why, at: now },
    finishedAt: now,
    updatedAt: now,
    change: judgement.change + 1,
  };
}

/**
 * The only place where an event changes a judgement. Pure and total: any event of this generation, in any order
 * and any number of times.
 *
 * - A final judgement never changes.
 * - The newest holder's word counts (fence); of one holder, its newest event (seq). An older holder's event only
 *   completes the history of tries: that it gave the job back without fault must not count against the job.
 * - Every event is cumulative, so what it skips is not missed.
 */
export function advance(judgement: JudgementDocument, event: JudgeEvent, rules: AdvanceRules): Advance {
  if (event.generation !== judgement.generation || event.submission !== judgement.submission) return STALE;
  if (isFinal(judgement.state)) return STALE;
  const order = compareFence(event, fenceOf(judgement));
  const tries = withTry(judgement.tries, event);
  if (order < 0) {
    if (tries === judgement.tries) return STALE;
    return {
      type: "changed",
      judgement: { ...judgement, tries, updatedAt: rules.now, change: judgement.change + 1 },
    };
  }
  if (order === 0 && judgement.delivery > 0 && event.seq <= judgement.seq) return STALE;
  return { type: "changed", judgement: fromHolder({ ...judgement, tries }, event, rules) };
}

/** The state after a new event of the newest holder. */
function fromHolder(judgement: JudgementDocument, event: JudgeEvent, rules: AdvanceRules): JudgementDocument {
  const { now } = rules;
  const { result: _, claim: __, ...rest } = judgement;
  const next = {
    ...rest,
    dispatch: event.dispatch,
    delivery: event.delivery,
    seq: event.seq,
    startedAt: judgement.startedAt ?? now,
    updatedAt: now,
    change: judgement.change + 1,
  };
  const exhausted = countedTries(judgement.tries, event) >= rules.tries;
  if (event.type === "finished") {
    const { result, times } = event;
    return { ...next, state: "FINISHED", result, finishedAt: now, ...(times ? { times } : {}) };
  }
  if (event.type === "released") return { ...next, state: "QUEUED" };
  if (event.type === "fault") {
    const { code, message, retry } = event.fault;
    if (retry && !exhausted) return { ...next, state: "QUEUED" };
    const reason = retry ? `${rules.tries} tries failed; the last one: ${message}` : message;
    return deadLetter({ ...next, change: judgement.change }, { code, reason }, now);
  }
  if (exhausted) {
    // Its predecessors all died without a word: most likely the job kills its executors.
    const reason = `${rules.tries} executors started the job and did not end it`;
    return deadLetter({ ...next, change: judgement.change }, { code: "TRIES_EXHAUSTED", reason }, now);
  }
  return { ...next, state: "RUNNING", ...(event.type === "started" ? {} : { result: event.result }) };
}
