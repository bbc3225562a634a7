import { HEARTBEAT_INTERVAL_MS, SELF_FENCE_MS } from "../../shared/topology.ts";
import type { Log } from "../../shared/log.ts";
import { pause } from "./change.ts";
import type { Connection } from "./connection.ts";
import type { Delivery } from "./delivery.ts";

/** The right to run one delivered job. */
export interface Lease {
  /**
   * Looks at the clock: false once no heartbeat was confirmed for SELF_FENCE_MS. It is asked before anything is sent,
   * since a process that was stopped and continued runs its next line before any timer.
   */
  alive(): boolean;
  /** Aborted when the lease is lost. */
  readonly lost: AbortSignal;
  /** Milliseconds since the last confirmed heartbeat was sent. */
  ageMs(): number;
  /** The job is done with: confirmed by the server, repeated while the lease lives. False: not known to be. */
  ack(): Promise<boolean>;
  /**
   * The same, said once and not confirmed, for a job whose end is stored: where it gets lost the job comes again, and is
   * dropped at its fence check.
   */
  ackStored(): Promise<boolean>;
  /** The job goes back and is delivered again after `delayMs`. */
  nak(delayMs: number): Promise<boolean>;
  /** The job is never delivered again. */
  terminate(reason: string): Promise<boolean>;
  /** Ends the heartbeats. Without one of the three above, the job comes back after `ack_wait`. */
  end(): void;
}

interface LeaseDeps {
  readonly connection: Connection;
  readonly monotonic: () => number;
  readonly log: Log;
}

/** Given to `abort`, which else makes an error with a stack each time. */
const LOST = "lease-lost";
const ENDED = "ended";

const CONFIRM_TIMEOUT_MS = 1_000;
const RETRY_MS = 200;
/** How often the clock is looked at; a loss is seen this much late at most, and `ack_wait` is 1.5 s later. */
const WATCH_MS = 250;

/**
 * Begins the heartbeats of a delivery. A heartbeat is a request: the answer proves that the server heard it, which a
 * published one would not. It does not prove ownership (the server confirms to former holders too), so the own
 * monotonic clock decides.
 */
export function openLease(deps: LeaseDeps, delivery: Delivery): Lease {
  const { connection, monotonic, log } = deps;
  const loss = new AbortController();
  const ended = new AbortController();
  const beats = new AbortController();
  ended.signal.addEventListener("abort", () => beats.abort(), { once: true });
  let confirmedAtMs = delivery.askedAtMs;

  const ageMs = (): number => monotonic() - confirmedAtMs;
  const alive = (): boolean => {
    if (loss.signal.aborted) return false;
    if (ageMs() < SELF_FENCE_MS) return true;
    log.warn({ ageMs: Math.round(ageMs()) }, "lease lost: no heartbeat was confirmed in time");
    loss.abort(LOST);
    ended.abort(ENDED);
    return false;
  };

  /** True when the server answered. */
  const send = async (payload: string): Promise<boolean> => {
    if (!connection.up()) return false;
    try {
      await connection.nats.request(delivery.reply, payload, { timeout: CONFIRM_TIMEOUT_MS });
      return true;
    } catch (error) {
      log.debug({ err: error, payload }, "not confirmed");
      return false;
    }
  };

  const beat = async (): Promise<void> => {
    await pause(HEARTBEAT_INTERVAL_MS, beats.signal);
    while (!beats.signal.aborted && alive()) {
      const sentAtMs = monotonic();
      const confirmed = await send("+WPI");
      if (confirmed) confirmedAtMs = Math.max(confirmedAtMs, sentAtMs);
      await pause(confirmed ? HEARTBEAT_INTERVAL_MS : RETRY_MS, beats.signal);
    }
  };
  void beat();
  const watch = setInterval(() => alive(), WATCH_MS);
  ended.signal.addEventListener("abort", () => clearInterval(watch), { once: true });

  /**
   * The heartbeats end with the first try, so that the lease runs out when no try is answered: a consumer that was made
   * anew (NATS lost its disk) confirms the heartbeats of a job that it does not know, but not its acknowledgement. The
   * slot would never be free again.
   */
  const settle = async (payload: string): Promise<boolean> => {
    beats.abort();
    while (alive()) {
      if (await send(payload)) {
        ended.abort(ENDED);
        return true;
      }
      await pause(RETRY_MS, loss.signal);
    }
    return false;
  };
  /**
   * The server obeys a late nak even when the job is in other hands by then, so one without an answer is not repeated:
   * at worst the lease runs out. The heartbeats end before, as one after it would put the delay off.
   */
  const nak = async (delayMs: number): Promise<boolean> => {
    while (alive() && !connection.up()) await pause(RETRY_MS, loss.signal);
    if (!alive()) return false;
    ended.abort(ENDED);
    return await send(delayMs > 0 ? `-NAK ${JSON.stringify({ delay: delayMs * 1_000_000 })}` : "-NAK");
  };

  return {
    alive,
    lost: loss.signal,
    ageMs,
    ack: () => settle("+ACK"),
    ackStored: () => {
      if (!connection.up() || !alive()) return settle("+ACK");
      ended.abort(ENDED);
      connection.nats.publish(delivery.reply, "+ACK");
      return Promise.resolve(true);
    },
    nak,
    terminate: (reason) => settle(`+TERM ${reason}`),
    end: () => ended.abort(ENDED),
  };
}
