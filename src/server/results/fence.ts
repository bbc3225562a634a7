import type { Msg } from "@nats-io/transport-node";
import { compareFence } from "../../shared/fence.ts";
import { judgementId } from "../../shared/ids.ts";
import type { Log } from "../../shared/log.ts";
import { decodeJson, encodeJson } from "../../shared/nats.ts";
import { type FenceAnswer, FenceCheck } from "../../shared/protocol.ts";
import { subjects, type Topology } from "../../shared/topology.ts";
import type { Link } from "../broker/link.ts";
import { isFinal } from "../store/documents.ts";
import type { Judgements } from "../store/judgements.ts";
import { countedTries } from "./advance.ts";
import { excuse, type HeardOf } from "./excuse.ts";

/** One of the servers answers each question. */
const QUEUE_GROUP = "servers";

/**
 * Answers holders that ask whether they may still run their job: not when the judgement is final, a newer holder
 * has spoken, or the holders before have used up its tries: a job that kills its executors is not started again, and
 * the reconciler, which finds it without a job, makes the dead letter. While the database is away nobody answers, and the holder runs: its events are fenced anyway.
 */
export function answerFenceChecks(deps: {
  readonly judgements: Pick<Judgements, "get">;
  /** Limit `tries`. */
  readonly tries: number;
  readonly heardOf: HeardOf;
  readonly link: Link;
  readonly topology: Topology;
  readonly log: Log;
}): void {
  async function mayRun(holder: FenceCheck[number]): Promise<boolean> {
    const judgement = await deps.judgements.get(judgementId(holder.submission, holder.generation));
    return (
      judgement !== undefined &&
      !isFinal(judgement.state) &&
      compareFence(holder, { ...judgement, delivery: Math.max(1, judgement.delivery) }) >= 0 &&
      countedTries(excuse(judgement.tries, deps.heardOf), holder) < deps.tries
    );
  }

  async function answer(message: Msg): Promise<void> {
    const asked = decodeJson(FenceCheck, message.data);
    if (asked === undefined) return;
    const fenceAnswer: FenceAnswer = { current: await Promise.all(asked.map(mayRun)) };
    message.respond(encodeJson(fenceAnswer));
  }

  deps.link.subscribe(
    subjects.fenceCheck(deps.topology),
    (message) => {
      answer(message).catch((error: unknown) => deps.log.warn({ err: error }, "cannot answer a fence check"));
    },
    QUEUE_GROUP,
  );
}
