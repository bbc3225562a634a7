import type { NatsConnection } from "@nats-io/transport-node";

/** What inputs are made for and sent to. */
export interface World {
  readonly url: string;
  readonly port: number;
  readonly keys: { readonly participant: string; readonly jury: string };
  readonly problem: string;
  readonly submissions: readonly string[];
  readonly nats: NatsConnection;
  readonly prefix: string;
  readonly capabilitySecret: string;
}

/** What came back: all words a client could see, and whether they tell of a fault of the server's own. */
export interface Answer {
  readonly text: string;
  readonly fault: boolean;
}

export interface Input {
  readonly kind: string;
  /** The whole of it as text, to be saved and to be compared with what comes back. */
  readonly text: string;
  send(world: World, signal: AbortSignal): Promise<Answer>;
}
