import {
  AuthorizationError,
  InvalidArgumentError,
  type NatsConnection,
  UserAuthenticationExpiredError,
} from "@nats-io/transport-node";
import { backoffMs } from "../../shared/backoff.ts";
import type { Log } from "../../shared/log.ts";
import { connectNats, type NatsAccess } from "../../shared/nats.ts";
import { pause } from "./change.ts";
import type { Health } from "./health.ts";

/** Of one attempt, milliseconds. */
const ATTEMPT_MS = 5_000;

/** A broker that is busy says no more than this to somebody whose password it did not come to check. */
const BUSY = /authentication timeout/i;

/** The broker will not take this executor until somebody changes its configuration; the message says what. */
export class BrokerRefused extends Error {
  override readonly name = "BrokerRefused";
}

/** What goes on for ever unless somebody changes the configuration: the address or the password. */
function isForGood(error: unknown): boolean {
  if (error instanceof AuthorizationError) return !BUSY.test(error.message);
  return (
    error instanceof UserAuthenticationExpiredError ||
    error instanceof InvalidArgumentError ||
    // The URL parser's.
    (error instanceof TypeError && "code" in error && error.code === "ERR_INVALID_URL")
  );
}

const wordsOf = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error);
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : "";
  return cause === "" || message.includes(cause) ? message : `${message} (${cause})`;
};

/**
 * Connects to the broker, however long that takes: one that is not up yet, an address that no name server knows yet and
 * a network that is cut are passing, and `health` says what is waited for. Throws BrokerRefused, and the signal's reason
 * when it is aborted.
 */
export async function connectToBroker(
  deps: { readonly health: Health; readonly log: Log; readonly signal: AbortSignal },
  { access, name }: { readonly access: NatsAccess; readonly name: string },
): Promise<NatsConnection> {
  const { health, log, signal } = deps;
  const waits = backoffMs();
  for (;;) {
    signal.throwIfAborted();
    try {
      const connection = await connectNats(access, name, {
        timeout: ATTEMPT_MS,
        // No error object with a stack for each request.
        noAsyncTraces: true,
      });
      health.set("nats", undefined);
      return connection;
    } catch (error) {
      const as = access.user === undefined ? "" : ` as ${access.user}`;
      if (isForGood(error)) {
        const why = `NATS at ${access.url} cannot be used${as}: ${wordsOf(error)}`;
        throw new BrokerRefused(`${why}. See NATS_URL, NATS_USER.`, { cause: error });
      }
      health.set("nats", `waits for NATS at ${access.url}: ${wordsOf(error)}`);
      const waitMs = waits.next().value;
      log.warn({ err: error, againInMs: waitMs }, "NATS is out of reach; trying again");
      await pause(waitMs, signal);
    }
  }
}
