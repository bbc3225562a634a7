import { createInbox, type Msg } from "@nats-io/transport-node";
import type { Lane } from "../../shared/lane.ts";
import type { QueueId } from "../../shared/queue.ts";
import type { Log } from "../../shared/log.ts";
import { consumerOf, streamOf, type Topology } from "../../shared/topology.ts";
import type { Connection } from "./connection.ts";
import { type Delivery, parseDelivery } from "./delivery.ts";

/** What came of asking a lane: all that was asked for; less, as there was no more; or no answer. */
export type Pulled = "all" | "empty" | "failed";

export interface Puller {
  /**
   * Asks for at most `most` jobs and never waits for one to come; each is handed to `take` as it arrives. One call at a
   * time per lane.
   */
  pull(language: QueueId, lane: Lane, most: number, take: (delivery: Delivery) => void): Promise<Pulled>;
  close(): void;
}

interface PullerDeps {
  readonly connection: Connection;
  readonly topology: Topology;
  readonly inboxPrefix?: string | undefined;
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
  readonly log: Log;
}

const PULL_TIMEOUT_MS = 1_000;
const NO_MESSAGES = 404;
const REQUEST_TIMEOUT = 408;

interface Asked {
  readonly token: string;
  readonly atMs: number;
  readonly take: (delivery: Delivery) => void;
  readonly end: (pulled: Pulled) => void;
}

/**
 * Pulls by raw requests, as the client library has no `no_wait` and refuses to wait less than a second. One
 * subscription for all of them: an answer is recognised by its consumer, and one that comes too late is given back
 * at once instead of running out its `ack_wait`. The server says 404 where it has no more, after what it had.
 */
export function createPuller(deps: PullerDeps): Puller {
  const { nats } = deps.connection;
  const inbox = createInbox(deps.inboxPrefix);
  const asked = new Map<string, Asked>();
  let count = 0;

  const status = (message: Msg): void => {
    // A status names its pull by the inbox; one of a pull given up is of no interest.
    const token = message.subject.slice(inbox.length + 1);
    const code = message.headers?.code ?? 0;
    for (const pull of asked.values()) {
      if (pull.token !== token) continue;
      const empty = code === NO_MESSAGES || code === REQUEST_TIMEOUT;
      if (!empty) deps.log.debug({ code, description: message.headers?.description }, "pull refused");
      pull.end(empty ? "empty" : "failed");
      return;
    }
  };

  const answer = (error: Error | null, message: Msg): void => {
    if (error !== null) {
      deps.log.error({ err: error }, "the pull subscription broke");
      return;
    }
    const delivery = parseDelivery(message, deps.monotonic());
    if (delivery === undefined) {
      status(message);
      return;
    }
    const pull = asked.get(`${delivery.stream}.${delivery.consumer}`);
    if (pull === undefined) {
      deps.log.warn({ reply: delivery.reply }, "job came after its pull was given up; given back");
      nats.publish(delivery.reply, "-NAK");
      return;
    }
    pull.take({ ...delivery, askedAtMs: pull.atMs });
  };
  const subscription = nats.subscribe(`${inbox}.*`, { callback: answer });

  return {
    pull: (language, lane, most, take) =>
      new Promise((resolve) => {
        if (!deps.connection.up()) {
          resolve("failed");
          return;
        }
        const stream = streamOf(deps.topology, language);
        const key = `${stream}.${consumerOf(lane)}`;
        const token = String(++count);
        const end = (pulled: Pulled): void => {
          clearTimeout(timer);
          asked.delete(key);
          resolve(pulled);
        };
        const timer = setTimeout(() => end("failed"), PULL_TIMEOUT_MS);
        let taken = 0;
        const one = (delivery: Delivery): void => {
          taken += 1;
          take(delivery);
          if (taken >= most) end("all");
        };
        asked.set(key, { token, atMs: deps.monotonic(), take: one, end });
        const request = JSON.stringify({ batch: most, no_wait: true });
        nats.publish(`$JS.API.CONSUMER.MSG.NEXT.${key}`, request, { reply: `${inbox}.${token}` });
      }),
    close: () => subscription.unsubscribe(),
  };
}
