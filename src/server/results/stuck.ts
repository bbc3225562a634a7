import { MAX_DELIVER } from "../../shared/topology.ts";
import type { JudgementDocument } from "../store/documents.ts";
import type { Judgements } from "../store/judgements.ts";
import { countedTries, deadLetter } from "./advance.ts";
import { excuse, type HeardOf } from "./excuse.ts";
import { settle, type SettleDeps } from "./settle.ts";

export interface StuckDeps extends SettleDeps {
  readonly judgements: Judgements;
  readonly clock: { now(): number };
  /** Limit `tries`. */
  readonly tries: number;
  readonly heardOf: HeardOf;
  /** Publishes the job anew under the next dispatch; false when the judgement has moved on. */
  readonly redispatch: (judgement: JudgementDocument) => Promise<boolean>;
}

/**
 * Has a job that the broker will not deliver any more used up its tries? Given back without blame (drain, outage)
 * so often: no. Taken so often by executors that died before they could say so: yes.
 */
export function isExhausted(judgement: JudgementDocument, deliveries: number, limit: number): boolean {
  const blameless = judgement.tries.filter(
    (one) =>
      one.dispatch === judgement.dispatch &&
      (one.end?.type === "released" || (one.end?.type === "fault" && one.end.shared === true)),
  ).length;
  const counted = countedTries(judgement.tries, {
    generation: judgement.generation,
    dispatch: judgement.dispatch + 1,
    delivery: 1,
  });
  return counted >= limit || deliveries - blameless >= limit;
}

async function fail(deps: StuckDeps, judgement: JudgementDocument, reason: string): Promise<boolean> {
  const failed = deadLetter(judgement, { code: "TRIES_EXHAUSTED", reason }, new Date(deps.clock.now()));
  if (!(await deps.judgements.replaceIfUnchanged(failed))) return false;
  await settle(deps, failed);
  return true;
}

/**
 * Dispatches a judgement anew whose job is in no stream, or ends it when its tries are used up. False when it has
 * moved on, or cannot be dispatched.
 */
export async function dispatchOrFail(deps: StuckDeps, judgement: JudgementDocument): Promise<boolean> {
  const excused = { ...judgement, tries: excuse(judgement.tries, deps.heardOf) };
  if (!isExhausted(excused, 0, deps.tries)) return await deps.redispatch(judgement);
  return await fail(deps, judgement, `${deps.tries} executors started the job and did not end it`);
}

/** Ends or dispatches anew a judgement whose job was delivered the greatest number of times. */
export async function unstick(deps: StuckDeps, judgement: JudgementDocument): Promise<void> {
  deps.measures.mended.inc({ reason: "stuck" });
  if (!isExhausted(judgement, MAX_DELIVER, deps.tries)) {
    await deps.redispatch(judgement);
    return;
  }
  await fail(deps, judgement, `the job was handed out ${MAX_DELIVER} times and never came to an end`);
}
