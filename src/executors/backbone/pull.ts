import { createInbox, type Msg } from "@nats-io/transport-node";
import type { Lane } from "../../shared/lane.ts";
import type { QueueId } from "../../shared/queue.ts";
import type { Log } from "../../shared/log.ts";
import { consumerOf, streamOf, type Topology } from "../../shared/topology.ts";
import type { Connection } from "./connection.ts";
import { type Delivery, parseDelivery } from "./delivery.ts";

/** What came of asking one lane for one job. */
export type Pulled = Delivery | "empty" | "failed";

export interface Puller {
  /** Asks for at most one job and never waits for one to come. One call at a time per lane. */
  pull(language: QueueId, lane: Lane): Promise<Pulled>;
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
const ASK_ONE = JSON.stringify({ batch: 1, no_wait: true });
const NO_MESSAGES = 404;
const REQUEST_TIMEOUT = 408;

interface Asked {
  readonly token: string;
  readonly atMs: number;
  readonly resolve: (pulled: Pulled) => void;
}

/**
 * Pulls by raw requests, as the client library has no `no_wait` and refuses to wait less than a second. One
 * subscription for all of them: an answer is recognised by its consumer, and one that comes too late is given back
 * at once instead of running out its `ack_wait`.
 */
export function createPuller(deps: PullerDeps): Puller {
  const { nats } = deps.connection;
  const inbox = createInbox(deps.inboxPrefix);
  const asked = new Map<string, Asked>();
  let count = 0;

  const answer = (error: Error | null, message: Msg): void => {
    if (error !== null) {
      deps.log.error({ err: error }, "the pull subscription broke");
      return;
    }
    const delivery = parseDelivery(message, deps.monotonic());
    if (delivery === undefined) {
      // A status names its pull by the inbox; one of a pull given up is of no interest.
      const token = message.subject.slice(inbox.length + 1);
      const code = message.headers?.code ?? 0;
      for (const pull of asked.values()) {
        if (pull.token !== token) continue;
        if (code !== NO_MESSAGES && code !== REQUEST_TIMEOUT) {
          deps.log.debug({ code, description: message.headers?.description }, "pull refused");
        }
        pull.resolve(code === NO_MESSAGES || code === REQUEST_TIMEOUT ? "empty" : "failed");
        return;
      }
      return;
    }
    const pull = asked.get(`${delivery.stream}.${delivery.consumer}`);
    if (pull === undefined) {
      deps.log.warn({ reply: delivery.reply }, "job came after its pull was given up; given back");
      nats.publish(delivery.reply, "-NAK");
      return;
    }
    pull.resolve({ ...delivery, askedAtMs: pull.atMs });
  };
  const subscription = nats.subscribe(`${inbox}.*`, { callback: answer });

  return {
    pull: (language, lane) =>
      new Promise((resolve) => {
        if (!deps.connection.up()) {
          resolve("failed");
          return;
        }
        const stream = streamOf(deps.topology, language);
        const key = `${stream}.${consumerOf(lane)}`;
        const token = String(++count);
        const done = (pulled: Pulled): void => {
          clearTimeout(timer);
          asked.delete(key);
          resolve(pulled);
        };
        const timer = setTimeout(() => done("failed"), PULL_TIMEOUT_MS);
        asked.set(key, { token, atMs: deps.monotonic(), resolve: done });
        nats.publish(`$JS.API.CONSUMER.MSG.NEXT.${key}`, ASK_ONE, { reply: `${inbox}.${token}` });
      }),
    close: () => subscription.unsubscribe(),
  };
}
