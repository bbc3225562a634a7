import type { ServerResponse } from "node:http";
import type { Backbone } from "../backbone.ts";
import type { Store } from "../store/store.ts";
import { sendJson } from "./answer.ts";

export interface HealthDeps {
  readonly store: Pick<Store, "ping">;
  readonly backbone: Pick<Backbone, "connected">;
  readonly stopping: AbortSignal;
}

/**
 * `GET /readyz`: 200 while submissions can be taken, else 503. Without NATS they still can (they wait as PENDING),
 * so that is 200 with `degraded`: taking every server out of service would turn a broker's outage into one of ours.
 */
export async function answerReady(deps: HealthDeps, response: ServerResponse): Promise<void> {
  const down: string[] = [];
  if (deps.stopping.aborted) down.push("the server is stopping");
  // Anybody may ask, so where the database is and what it said stays in the log.
  await deps.store.ping().catch(() => void down.push("MongoDB does not answer"));
  const weak = deps.backbone.connected() ? [] : ["NATS is not connected: submissions are stored and wait"];
  const status = down.length > 0 ? "unavailable" : weak.length > 0 ? "degraded" : "ok";
  sendJson(response, down.length > 0 ? 503 : 200, { status, reasons: [...down, ...weak] });
}
