import { Counter, Gauge, type Registry } from "prom-client";
import type { Store } from "../store/store.ts";

export interface WebhookMeasures {
  /** outcome: delivered, failed (tried again later), dead. */
  readonly attempts: Counter<"outcome">;
}

export function createWebhookMeasures(registry: Registry, store: Pick<Store, "deliveries">): WebhookMeasures {
  const registers = [registry];
  const gauge: Gauge<"state"> = new Gauge({
    name: "docket_webhook_deliveries",
    help: "Webhook deliveries that wait for a try (WAITING) and that were given up (DEAD)",
    labelNames: ["state"],
    registers,
    collect: async (): Promise<void> => {
      gauge.reset();
      const counts = await store.deliveries.counts().catch(() => undefined);
      if (counts === undefined) return;
      for (const state of ["WAITING", "DEAD"] as const) gauge.set({ state }, counts.get(state) ?? 0);
    },
  });
  return {
    attempts: new Counter({
      name: "docket_webhook_attempts_total",
      help: "Tries of webhook deliveries by outcome",
      labelNames: ["outcome"],
      registers,
    }),
  };
}
