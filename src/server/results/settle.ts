import { encodeJson } from "../../shared/nats.ts";
import type { Control } from "../../shared/protocol.ts";
import { subjects, type Topology } from "../../shared/topology.ts";
import type { Tracer } from "../../shared/trace.ts";
import { announce } from "../broker/announce.ts";
import { removeJobUpTo } from "../broker/jobs.ts";
import { BrokerUnavailable, type Link } from "../broker/link.ts";
import type { Log } from "../../shared/log.ts";
import { traceJudgement } from "../intake/judgementtrace.ts";
import { isFinal, type JudgementDocument, revisionOf } from "../store/documents.ts";
import type { ResultMeasures } from "./measures.ts";

export interface SettleDeps {
  readonly link: Link;
  readonly topology: Topology;
  readonly log: Log;
  readonly tracer: Tracer;
  readonly measures: ResultMeasures;
  /** This server's feed; others hear the announcement. */
  readonly stored: (judgement: JudgementDocument) => void;
  /** It has its final state: its place in the queue is free. */
  readonly ended: (judgement: JudgementDocument) => void;
}

/** What is left to do outside the database after a judgement was written: tell, and when it is final, tidy up. */
export async function settle(deps: SettleDeps, judgement: JudgementDocument): Promise<void> {
  const final = isFinal(judgement.state);
  // What a rejudge judges does not count yet: there is nothing to tell before it is applied.
  if (judgement.rejudge === undefined) {
    deps.stored(judgement);
    announce(deps, judgement.submission, { revision: revisionOf(judgement), final });
  }
  if (!final) return;
  deps.ended(judgement);
  const { submission, generation, state, dispatch, delivery, deadLetter } = judgement;
  const seconds = (judgement.updatedAt.getTime() - judgement.createdAt.getTime()) / 1000;
  const why = deadLetter === undefined ? {} : { code: deadLetter.code, reason: deadLetter.reason };
  deps.log.info({ submission, generation, state, dispatch, delivery, seconds, ...why }, "final");
  deps.measures.finals.inc({ state });
  traceJudgement(deps.tracer, judgement);
  if (judgement.rejudge === undefined) deps.measures.finalSeconds.observe(seconds);
  // In the usual case the one holder acks its own job; only otherwise may something be left.
  const open = judgement.tries.filter((one) => one.end === undefined);
  if (judgement.state === "FINISHED" && judgement.dispatch === 1 && judgement.tries.length < 2) return;
  const cancel: Control = {
    type: "cancel",
    submission: judgement.submission,
    generation: judgement.generation,
  };
  for (const executor of new Set(open.map((one) => one.executor))) {
    deps.link.tell(subjects.control(deps.topology, executor), encodeJson(cancel));
  }
  try {
    await removeJobUpTo({ jsm: deps.link.use().jsm, topology: deps.topology }, judgement);
  } catch (error) {
    // Whoever gets the leftover job asks for its fence first, hears that it is not current, and drops it.
    const level = error instanceof BrokerUnavailable ? "debug" : "warn";
    deps.log[level](
      { err: error, submission: judgement.submission },
      "could not remove what is left of the job",
    );
  }
}
