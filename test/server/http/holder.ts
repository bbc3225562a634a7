import { jetstream, type JsMsg } from "@nats-io/jetstream";
import { ExecutorId } from "../../../src/shared/ids.ts";
import type { JudgeProgress, JudgeResult } from "../../../src/shared/judging.ts";
import type { LanguageId } from "../../../src/shared/language.ts";
import { connectNats, decodeJson, encodeJson } from "../../../src/shared/nats.ts";
import { Job, type JudgeEvent, type Presence } from "../../../src/shared/protocol.ts";
import { until } from "../../support/processes.ts";
import {
  consumerOf,
  eventMessageId,
  PRESENCE_INTERVAL_MS,
  streamOf,
  subjects,
  type Topology,
} from "../../../src/shared/topology.ts";

/** An executor moved by hand: it takes real jobs from the queue and reports real events with their capability. */
export interface Holder {
  /** Waits for a job of the language in the practice lane. */
  take(language: LanguageId): Promise<HeldJob>;
  stop(): Promise<void>;
}

export interface HeldJob {
  readonly job: Job;
  started(): Promise<void>;
  progress(result: JudgeProgress): Promise<void>;
  /** The final event, then the acknowledgement. */
  finished(result: JudgeResult): Promise<void>;
  fault(message: string, log: string): Promise<void>;
}

const EXECUTOR = ExecutorId.parse("by-hand");
const LANGUAGES: readonly LanguageId[] = ["python", "cpp"];

const presence = (): Presence => ({
  executor: EXECUTOR,
  pool: "test",
  languages: LANGUAGES.map((id) => ({ id, version: `${id} 1.0` })),
  notOffered: [{ id: "rust", reason: "rustc is missing: apt-get install rustc" }],
  lanes: ["contest", "practice"],
  slots: 2,
  running: [],
  state: "ready",
  version: "0.0.0",
  startedAtMs: Date.now(),
});

export async function startHolder(natsUrl: string, topology: Topology): Promise<Holder> {
  const connection = await connectNats({ url: natsUrl }, "by-hand");
  const js = jetstream(connection);
  const tell = (): void => connection.publish(subjects.presence(topology, EXECUTOR), encodeJson(presence()));
  tell();
  const timer = setInterval(tell, PRESENCE_INTERVAL_MS);

  function held(job: Job, message: JsMsg): HeldJob {
    const fence = {
      generation: job.generation,
      dispatch: job.dispatch,
      delivery: message.info.deliveryCount,
    };
    let seq = 0;
    async function send(
      part:
        | { type: "started" }
        | { type: "progress" | "finished"; result: unknown }
        | { type: "fault"; fault: Extract<JudgeEvent, { type: "fault" }>["fault"] },
    ): Promise<void> {
      seq += 1;
      const event: JudgeEvent = {
        v: 1,
        kind: job.kind,
        submission: job.submission,
        ...fence,
        executor: EXECUTOR,
        seq,
        atMs: Date.now(),
        capability: job.capability,
        ...part,
      };
      await js.publish(subjects.event(topology, EXECUTOR, job.submission), encodeJson(event), {
        msgID: eventMessageId(job.submission, fence, seq),
      });
    }
    return {
      job,
      started: () => send({ type: "started" }),
      progress: (result) => send({ type: "progress", result }),
      finished: async (result) => {
        await send({ type: "finished", result });
        await message.ackAck();
      },
      fault: async (text, log) => {
        await send({
          type: "fault",
          fault: { code: "VALIDATOR_FAILED", message: text, log, retry: false, shared: false },
        });
        message.nak();
      },
    };
  }

  return {
    take: async (language) => {
      // JetStream may be coming back from an outage.
      const consumer = await until(
        "JetStream answers",
        () => js.consumers.get(streamOf(topology, language), consumerOf("practice")).catch(() => undefined),
        30_000,
      );
      const message = await consumer.next({ expires: 10_000 });
      if (message === null) throw new Error(`no ${language} job within 10 s`);
      const job = decodeJson(Job, message.data);
      if (job === undefined) throw new Error("the job does not fit its schema");
      return held(job, message);
    },
    stop: async () => {
      clearInterval(timer);
      await connection.close();
    },
  };
}
