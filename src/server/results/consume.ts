import type { JsMsg } from "@nats-io/jetstream";
import type { Log } from "../../shared/log.ts";
import { type Repeat, repeat } from "../../shared/repeat.ts";
import type { Link } from "../broker/link.ts";
import { isMissing } from "../broker/topology.ts";

const RETRY_MS = 500;

/**
 * Reads a durable consumer for ever: through reconnects, and through its stream being lost and made anew. `take`
 * is called with one message after the other and holds the next one back until it returns; it acks by itself.
 */
export function consumeForEver(deps: {
  readonly name: string;
  readonly stream: string;
  readonly consumer: string;
  readonly atOnce: number;
  readonly link: Link;
  readonly log: Log;
  /** Makes missing streams and consumers. */
  readonly mend: () => Promise<void>;
  readonly take: (message: JsMsg, signal: AbortSignal) => Promise<void>;
}): Repeat {
  const { link, log } = deps;
  const reader = repeat({
    name: deps.name,
    intervalMs: RETRY_MS,
    log,
    async act(signal) {
      if (!link.connected()) return;
      try {
        const consumer = await link.use().js.consumers.get(deps.stream, deps.consumer);
        const messages = await consumer.consume({
          max_messages: deps.atOnce,
          expires: 10_000,
          abort_on_missing_resource: true,
        });
        const close = (): void => void messages.close();
        signal.addEventListener("abort", close, { once: true });
        try {
          if (signal.aborted) close();
          for await (const message of messages) {
            if (signal.aborted) message.nak();
            else await deps.take(message, signal);
          }
        } finally {
          signal.removeEventListener("abort", close);
          await messages.close();
        }
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ err: error, stream: deps.stream }, "reading stopped; it starts again");
        if (isMissing(error) && link.connected()) await deps.mend();
      }
    },
  });
  link.onUp(async () => reader.wake());
  return reader;
}
