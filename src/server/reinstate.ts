import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../shared/clock.ts";
import type { QueueId } from "../shared/queue.ts";
import { encodeJson } from "../shared/nats.ts";
import type { Control } from "../shared/protocol.ts";
import { subjects, type Topology } from "../shared/topology.ts";
import type { Link } from "./broker/link.ts";
import type { ExecutorView, Fleet } from "./fleet.ts";

export type ReinstateOutcome =
  /** As it says of itself afterwards: a language that it still does not offer has its reason there. */
  | { readonly type: "told"; readonly executor: ExecutorView }
  | { readonly type: "unknown" }
  /** NATS is away. */
  | { readonly type: "unavailable" };

/** How long the executor's own word is waited for, milliseconds: it says at once what has changed. */
const WAIT_MS = 3_000;
const LOOK_MS = 50;

/** Tells an executor to offer again what it has taken out; all of it without a language. */
export async function reinstate(
  deps: {
    readonly link: Link;
    readonly topology: Topology;
    readonly fleet: Pick<Fleet, "executors">;
    readonly clock: Clock;
  },
  input: { readonly executor: string; readonly language?: QueueId | undefined },
): Promise<ReinstateOutcome> {
  const { link, clock } = deps;
  const find = (): ExecutorView | undefined =>
    deps.fleet.executors().find((one) => one.executor === input.executor);
  const before = find();
  if (before === undefined) return { type: "unknown" };
  if (!link.connected()) return { type: "unavailable" };
  const control: Control = {
    type: "reinstate",
    ...(input.language === undefined ? {} : { language: input.language }),
  };
  link.tell(subjects.control(deps.topology, before.executor), encodeJson(control));
  const toldAtMs = clock.now();
  let executor = before;
  while (clock.now() - toldAtMs < WAIT_MS) {
    await sleep(LOOK_MS);
    executor = find() ?? executor;
    const missing = executor.notOffered.filter(({ id }) => (input.language ?? id) === id);
    if (missing.length === 0 && executor.heardAtMs >= toldAtMs) break;
  }
  return { type: "told", executor };
}
