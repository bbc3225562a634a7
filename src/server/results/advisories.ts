import { z } from "zod";
import type { JsMsg } from "@nats-io/jetstream";
import { JetStreamApiCodes, JetStreamApiError } from "@nats-io/jetstream";
import { judgementId } from "../../shared/ids.ts";
import { decodeJson } from "../../shared/nats.ts";
import { Job } from "../../shared/protocol.ts";
import type { Repeat } from "../../shared/repeat.ts";
import { ADVISORY_CONSUMER, advisoryStreamOf } from "../../shared/topology.ts";
import { isFinal } from "../store/documents.ts";
import { consumeForEver } from "./consume.ts";
import { type StuckDeps, unstick } from "./stuck.ts";

/** $JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES */
const MaxDeliveries = z.object({ stream: z.string(), stream_seq: z.int() });

const RETRY_MS = 2_000;

/**
 * Reads the captured advisories of jobs that were delivered too often: the net under the recorder's own count, for
 * jobs that kill their executors before a word is said.
 */
export function createAdvisoryReader(deps: StuckDeps & { readonly mend: () => Promise<void> }): Repeat {
  const { link, log } = deps;

  async function jobAt(stream: string, seq: number): Promise<Job | undefined> {
    try {
      const stored = await link.use().jsm.streams.getMessage(stream, { seq });
      return stored === null ? undefined : decodeJson(Job, stored.data);
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.NoMessageFound)
        return undefined;
      throw error;
    }
  }

  async function handle(message: JsMsg): Promise<void> {
    const advisory = decodeJson(MaxDeliveries, message.data);
    const job = advisory && (await jobAt(advisory.stream, advisory.stream_seq));
    const judgement = job && (await deps.judgements.get(judgementId(job.submission, job.generation)));
    if (!judgement || isFinal(judgement.state) || judgement.dispatch !== job.dispatch) return;
    log.error({ submission: judgement.submission }, "a job was handed out too often");
    await unstick(deps, judgement);
  }

  return consumeForEver({
    name: "advisories",
    stream: advisoryStreamOf(deps.topology),
    consumer: ADVISORY_CONSUMER,
    atOnce: 16,
    link,
    log,
    mend: deps.mend,
    async take(message) {
      try {
        await handle(message);
        message.ack();
      } catch (error) {
        log.warn({ err: error }, "cannot handle an advisory now");
        message.nak(RETRY_MS);
      }
    },
  });
}
