import type { NatsConnection } from "@nats-io/transport-node";
import { type Change, createChange } from "./change.ts";

/** Whether NATS is there right now. */
export interface Connection {
  readonly nats: NatsConnection;
  /**
   * The client keeps what is published while it is away and sends it after the reconnect. A holder must not: by then
   * the lease may be another's. So whatever belongs to a job is sent only while this is true.
   */
  up(): boolean;
  readonly change: Change;
}

export function watchConnection(nats: NatsConnection): Connection {
  const change = createChange();
  let up = true;
  const follow = async (): Promise<void> => {
    for await (const status of nats.status()) {
      if (status.type !== "disconnect" && status.type !== "reconnect" && status.type !== "close") continue;
      up = status.type === "reconnect";
      change.notify();
    }
  };
  // The iterator ends with the connection and does not throw.
  void follow();
  return { nats, up: () => up && !nats.isClosed(), change };
}
