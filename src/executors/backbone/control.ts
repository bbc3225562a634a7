import type { Subscription } from "@nats-io/transport-node";
import type { ExecutorId } from "../../shared/ids.ts";
import type { Service } from "../../shared/lifecycle.ts";
import type { Log } from "../../shared/log.ts";
import { decodeJson } from "../../shared/nats.ts";
import { Control } from "../../shared/protocol.ts";
import { subjects, type Topology } from "../../shared/topology.ts";
import type { Board } from "./board.ts";
import type { Connection } from "./connection.ts";
import type { Offer } from "./offer.ts";
import type { Pool } from "./pool.ts";

/**
 * Listens for word that a job in hand was cancelled, that a language is to be offered again, or of
 * changes to the pool. A word that comes too late finds nothing, which is right.
 */
export function createControl(deps: {
  readonly connection: Connection;
  readonly topology: Topology;
  readonly executor: ExecutorId;
  readonly board: Board;
  readonly offer: Offer;
  readonly pool: Pool;
  readonly log: Log;
}): Service {
  let subscription: Subscription | undefined;
  return {
    name: "control",
    start: () => {
      subscription ??= deps.connection.nats.subscribe(subjects.control(deps.topology, deps.executor), {
        callback: (error, message) => {
          const control = error === null ? decodeJson(Control, message.data) : undefined;
          if (control === undefined) {
            deps.log.warn({ err: error }, "unreadable control message");
            return;
          }
          if (control.type === "reinstate") deps.offer.reinstate(control.language);
          else if (control.type === "pool") deps.pool.apply(control.settings);
          else deps.board.find(control.submission, control.generation)?.stop("cancelled");
        },
      });
      return Promise.resolve();
    },
    stop: () => {
      subscription?.unsubscribe();
      subscription = undefined;
      return Promise.resolve();
    },
  };
}
