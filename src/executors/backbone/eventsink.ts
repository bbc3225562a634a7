import { jetstream, JetStreamApiError } from "@nats-io/jetstream";
import type { Log } from "../../shared/log.ts";
import { traceHeaders } from "../../shared/nats.ts";
import type { SpanContext } from "../../shared/trace.ts";
import type { Connection } from "./connection.ts";

/**
 * "stored": JetStream has it. "refused": the stream is full or not writable, so wait and pull no more meanwhile.
 * "unanswered": not known; the same id may be sent again.
 */
export type Sent = "stored" | "refused" | "unanswered";

export interface EventSink {
  send(subject: string, bytes: Uint8Array, messageId: string, trace: SpanContext): Promise<Sent>;
  /** Largest event in bytes that NATS takes, headers apart. */
  maxBytes(): number;
}

/** Short, as what is sent right after a reconnect may fall on a stream that is not there yet; the same id is sent again. */
const PUBACK_TIMEOUT_MS = 1_000;
/** The event stream's own `max_msg_size`. */
const STREAM_MAX_BYTES = 1024 * 1024;
const HEADER_ROOM_BYTES = 4 * 1024;

export function createEventSink(deps: { readonly connection: Connection; readonly log: Log }): EventSink {
  const { connection, log } = deps;
  const js = jetstream(connection.nats);
  return {
    send: async (subject, bytes, messageId, trace) => {
      if (!connection.up()) return "unanswered";
      try {
        await js.publish(subject, bytes, {
          msgID: messageId,
          timeout: PUBACK_TIMEOUT_MS,
          ...traceHeaders(trace),
        });
        return "stored";
      } catch (error) {
        const refused = error instanceof JetStreamApiError;
        log.debug({ err: error, messageId, refused }, "event not stored");
        return refused ? "refused" : "unanswered";
      }
    },
    maxBytes: () =>
      Math.min(connection.nats.info?.max_payload ?? STREAM_MAX_BYTES, STREAM_MAX_BYTES) - HEADER_ROOM_BYTES,
  };
}
