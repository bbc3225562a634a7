import { z } from "zod";
import type { JsMsg } from "@nats-io/jetstream";
import { JetStreamApiCodes, JetStreamApiError } from "@nats-io/jetstream";
import { judgementId } from "../../shared/ids.ts";
import { decodeJson } from "../../shared/nats.ts";
import { Job } from "../../shared/protocol.ts";
import type { Repeat } from "../../shared/repeat.ts";
import { queuesOf } from "../../shared/queue.ts";
import { ADVISORY_CONSUMER, advisoryStreamOf, streamOf } from "../../shared/topology.ts";
import { removeJob } from "../broker/jobs.ts";
import { isFinal } from "../store/documents.ts";
import { consumeForEver } from "./consume.ts";
import type { Reject } from "./reject.ts";
import { type StuckDeps, unstick } from "./stuck.ts";

/** $JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES and MSG_TERMINATED */
const Advisory = z.object({
  type: z.string(),
  stream: z.string(),
  consumer: z.string(),
  stream_seq: z.int(),
  deliveries: z.int(),
  reason: z.string().optional(),
});
type Advisory = z.infer<typeof Advisory>;
const TERMINATED = "io.nats.jetstream.advisory.v1.terminated";
/** JetStream's own words for a held job that we removed ourselves, after its end or a cancel: nothing to note. */
const REMOVED = "Unacknowledged message was deleted";

const RETRY_MS = 2_000;

const NOTHING = new Uint8Array();
const placeOf = ({ stream, consumer, stream_seq: seq }: Advisory): string => `${stream} ${consumer} ${seq}`;

/**
 * Reads the captured advisories of jobs that were delivered too often: the net under the recorder's own count, for
 * jobs that kill their executors before a word is said. What stays behind of a job that means nothing to anybody
 * (unreadable, of an unknown or final judgement) is removed and written down, as are jobs that an executor took out
 * because it could not read them.
 */
export function createAdvisoryReader(
  deps: StuckDeps & { readonly mend: () => Promise<void>; readonly reject: Reject },
): Repeat {
  const { link, log, topology } = deps;

  async function messageAt(stream: string, seq: number): Promise<Uint8Array | undefined> {
    try {
      return (await link.use().jsm.streams.getMessage(stream, { seq }))?.data;
    } catch (error) {
      if (error instanceof JetStreamApiError && error.code === JetStreamApiCodes.NoMessageFound)
        return undefined;
      throw error;
    }
  }

  async function undeliverable(advisory: Advisory): Promise<void> {
    const data = await messageAt(advisory.stream, advisory.stream_seq);
    if (data === undefined) return;
    const job = decodeJson(Job, data);
    const judgement = job && (await deps.judgements.get(judgementId(job.submission, job.generation)));
    if (judgement && !isFinal(judgement.state) && judgement.dispatch === job.dispatch) {
      log.error({ submission: judgement.submission }, "a job was handed out too often");
      await unstick(deps, judgement);
      return;
    }
    const language = queuesOf(topology).find((one) => streamOf(topology, one) === advisory.stream);
    if (language === undefined) return;
    await removeJob({ jsm: link.use().jsm, topology }, language, advisory.stream_seq);
    deps.reject({
      source: "job",
      reason: "undeliverable",
      place: placeOf(advisory),
      why: `handed out ${advisory.deliveries} times; ${job ? "no unfinished judgement wants it" : "it is no job"}`,
      data,
    });
  }

  async function handle(message: JsMsg): Promise<void> {
    const advisory = decodeJson(Advisory, message.data);
    if (advisory === undefined) return;
    if (advisory.type !== TERMINATED) return await undeliverable(advisory);
    if (advisory.reason === REMOVED) return;
    // The message is gone with it; what it was is in the executor's words.
    deps.reject({
      source: "job",
      reason: "terminated",
      place: placeOf(advisory),
      why: "an executor could not read it",
      data: advisory.reason === undefined ? NOTHING : new TextEncoder().encode(advisory.reason),
    });
  }

  return consumeForEver({
    name: "advisories",
    stream: advisoryStreamOf(topology),
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
