import { Counter, type Registry } from "prom-client";
import type { LimitName } from "../shared/limits.ts";
import type { Evicted } from "../shared/recent.ts";

/** What bounded things do when they are full, as metrics. Each of these is safe to call for every part of a process. */

function counter(registry: Registry, name: string, help: string, label: string): Counter {
  const known = registry.getSingleMetric(name);
  if (known instanceof Counter) return known;
  return new Counter({ name, help, labelNames: [label], registers: [registry] });
}

/** `memory`: a bound in docs/limits.md. */
export function countEvictions(registry: Registry): Evicted {
  const help = "Entries that made room for newer ones in a memory of bounded size.";
  const evictions = counter(registry, "docket_evictions_total", help, "memory");
  return (memory) => evictions.inc({ memory });
}

/** Hears of each time that a limit in docs/limits.md turned somebody away. */
export type Refused = (limit: LimitName) => void;

export function countRefusals(registry: Registry): Refused {
  const help =
    "Connections, requests, operations and submissions that were turned away as a limit was reached.";
  const refusals = counter(registry, "docket_refused_total", help, "limit");
  return (limit) => refusals.inc({ limit });
}
