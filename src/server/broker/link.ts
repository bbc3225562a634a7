import { setTimeout as sleep } from "node:timers/promises";
import { type JetStreamClient, jetstream, type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import type { Msg, NatsConnection } from "@nats-io/transport-node";
import type { Service } from "../../shared/lifecycle.ts";
import type { Log } from "../../shared/log.ts";
import { connectNats, type NatsAccess } from "../../shared/nats.ts";

export interface Connected {
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
}

/** NATS is not connected now. Whoever gets this leaves its work to be done later. */
export class BrokerUnavailable extends Error {
  override readonly name = "BrokerUnavailable";
}

/**
 * The server's one NATS connection. It need not be there: `start` returns after a short wait in any case, and goes
 * on trying. Register subscriptions and `onUp` before `start`.
 */
export interface Link extends Service {
  connected(): boolean;
  /** Throws BrokerUnavailable while there is no connection. */
  use(): Connected;
  /** Runs after each connect and reconnect, in the order of registration; an error is logged. */
  onUp(act: (link: Connected) => Promise<void>): void;
  /** Made at the first connect; the client renews it at reconnects. */
  subscribe(subject: string, handle: (message: Msg) => void, queue?: string): void;
  /** Sends when connected, otherwise drops it: for what others find out by themselves as well. */
  tell(subject: string, data: Uint8Array): void;
}

const FIRST_WAIT_MS = 3_000;
const RETRY_MS = 250;
/** For JetStream API requests and publishes, milliseconds. */
const REQUEST_TIMEOUT_MS = 2_000;

export function createLink(deps: {
  readonly access: NatsAccess;
  readonly name: string;
  readonly log: Log;
}): Link {
  const { access, log } = deps;
  const ups: ((link: Connected) => Promise<void>)[] = [];
  const subscriptions: { subject: string; handle: (message: Msg) => void; queue?: string | undefined }[] = [];
  const stopping = new AbortController();
  let link: Connected | undefined;
  let up = false;
  let running: Promise<void> | undefined;

  async function announceUp(connected: Connected): Promise<void> {
    for (const act of ups) {
      try {
        await act(connected);
      } catch (error) {
        log.error({ err: error }, "something failed after NATS connected; it will be tried again");
      }
    }
  }

  async function connectOnce(): Promise<Connected> {
    const connection = await connectNats(access, deps.name, {
      timeout: REQUEST_TIMEOUT_MS,
      // No error object with a stack per publish.
      noAsyncTraces: true,
    });
    const options = { timeout: REQUEST_TIMEOUT_MS, checkAPI: false };
    return {
      connection,
      js: jetstream(connection, options),
      jsm: await jetstreamManager(connection, options),
    };
  }

  async function keepConnected(first: () => void): Promise<void> {
    while (link === undefined && !stopping.signal.aborted) {
      try {
        link = await connectOnce();
      } catch (error) {
        log.warn({ err: error }, "NATS is out of reach; trying again");
        await sleep(RETRY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
    if (link === undefined) return;
    const connected = link;
    if (stopping.signal.aborted) return await connected.connection.close();
    for (const { subject, handle, queue } of subscriptions) {
      connected.connection.subscribe(subject, {
        ...(queue === undefined ? {} : { queue }),
        callback: (error, message) => {
          if (error) {
            log.error({ err: error, subject }, "subscription failed");
            return;
          }
          try {
            handle(message);
          } catch (thrown) {
            // Into the client it would end the reading of everything that comes.
            log.error({ err: thrown, subject: message.subject }, "a message could not be handled");
          }
        },
      });
    }
    up = true;
    log.info({ server: connected.connection.getServer() }, "NATS connected");
    void announceUp(connected).finally(first);
    for await (const status of connected.connection.status()) {
      if (status.type === "disconnect" || status.type === "close") {
        if (up && !stopping.signal.aborted) log.warn("NATS disconnected");
        up = false;
      } else if (status.type === "reconnect") {
        up = true;
        log.info({ server: connected.connection.getServer() }, "NATS connected again");
        void announceUp(connected);
      } else if (status.type === "error") {
        log.error({ err: status.error }, "NATS says");
      }
    }
  }

  return {
    name: "link",
    connected: () => up,
    use() {
      if (link === undefined || !up) throw new BrokerUnavailable("NATS is not connected");
      return link;
    },
    onUp: (act) => void ups.push(act),
    subscribe: (subject, handle, queue) => void subscriptions.push({ subject, handle, queue }),
    tell(subject, data) {
      if (link !== undefined && up) link.connection.publish(subject, data);
    },
    async start() {
      if (running) return;
      await Promise.race([
        new Promise<void>((resolve) => {
          running = keepConnected(resolve);
        }),
        sleep(FIRST_WAIT_MS, undefined, { signal: stopping.signal }),
      ]).catch(() => undefined);
    },
    async stop() {
      stopping.abort();
      if (link !== undefined && !link.connection.isClosed()) {
        if (up) await Promise.race([link.connection.flush().catch(() => undefined), sleep(500)]);
        await link.connection.close();
      }
      up = false;
      await running;
    },
  };
}
