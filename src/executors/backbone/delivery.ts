import type { Msg } from "@nats-io/transport-node";
import { TRACEPARENT } from "../../shared/trace.ts";

/** One delivered job message, not yet parsed. */
export interface Delivery {
  readonly data: Uint8Array;
  /** Subject that takes the acknowledgements of exactly this delivery. */
  readonly reply: string;
  readonly stream: string;
  readonly consumer: string;
  /** JetStream's count, from 1. */
  readonly delivery: number;
  readonly streamSeq: number;
  /** When the stream stored the message, milliseconds since 1970 by the server's clock. */
  readonly storedAtMs: number;
  /** Trace that the job belongs to, as its publisher said it. */
  readonly traceparent?: string | undefined;
  /** Monotonic clock when this was asked for: the lease cannot have begun earlier. */
  readonly askedAtMs: number;
}

/**
 * The place of a delivery, from its reply subject: `$JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.
 * <consumer seq>.<time ns>.<pending>`, in newer servers with `<domain>.<account>` after `$JS.ACK`.
 * Undefined for anything else.
 */
export function parseDelivery(message: Msg, askedAtMs: number): Delivery | undefined {
  const reply = message.reply ?? "";
  const tokens = reply.split(".");
  if (tokens[0] !== "$JS" || tokens[1] !== "ACK" || tokens.length < 9) return undefined;
  const [stream, consumer, delivered, streamSeq, , timeNs] = tokens.slice(tokens.length >= 11 ? 4 : 2);
  const delivery = Number(delivered);
  if (stream === undefined || consumer === undefined || !Number.isSafeInteger(delivery)) return undefined;
  return {
    data: message.data,
    reply,
    stream,
    consumer,
    delivery,
    streamSeq: Number(streamSeq),
    storedAtMs: Number(timeNs) / 1e6,
    traceparent: message.headers?.get(TRACEPARENT),
    askedAtMs,
  };
}
