import type { StackDeps } from "./deps.ts";
import type { StackFacts } from "./environment.ts";
import type { Kept } from "./keepalive.ts";
import type { ExecutorPlan } from "./pools.ts";
import { type ExecutorInput, startExecutor } from "./processes.ts";

/** The executor processes of a stack: those that run, and those that a pool may still grow by. */
export interface ExecutorSet {
  /** That run or are being started, and are not being drained. */
  plans(): readonly ExecutorPlan[];
  /** The next one that a pool could start; undefined when all are there, or one of them still drains. */
  spare(pool: string): ExecutorPlan | undefined;
  isUp(plan: ExecutorPlan): boolean;
  /** Resolves when it is ready. Throws NotReady. */
  start(plan: ExecutorPlan): Promise<void>;
  /** It takes no further jobs, finishes what it holds or gives it back within its grace time, and ends. */
  drain(plan: ExecutorPlan): Promise<void>;
  processes(): readonly Kept[];
  /** Drains all together; what is being started is given up. Safe twice. */
  stop(): Promise<void>;
}

/** Where an executor is on its way; one that is in no place can be started. */
type Place =
  | { readonly at: "starting"; readonly cut: AbortController; readonly done: Promise<void> }
  | { readonly at: "up"; readonly kept: Kept }
  | { readonly at: "draining"; readonly kept: Kept; readonly done: Promise<void> };

export function createExecutorSet(
  deps: StackDeps,
  facts: StackFacts,
  input: Omit<ExecutorInput, "plan" | "index" | "slotsBefore"> & {
    /** All that there can be. Users, broker rights and folders follow from the place in this list. */
    readonly plans: readonly ExecutorPlan[];
    readonly graceMs: number;
  },
): ExecutorSet {
  const { plans, graceMs } = input;
  const places = new Map<ExecutorPlan, Place>();
  let stopped = false;

  async function launch(plan: ExecutorPlan, signal: AbortSignal): Promise<void> {
    const index = plans.indexOf(plan);
    const slotsBefore = plans.slice(0, index).reduce((sum, other) => sum + other.mostSlots, 0);
    try {
      const kept = await startExecutor({ ...deps, signal }, facts, { ...input, plan, index, slotsBefore });
      places.set(plan, { at: "up", kept });
    } catch (error) {
      places.delete(plan);
      throw error;
    }
  }

  async function start(plan: ExecutorPlan): Promise<void> {
    if (stopped || places.has(plan)) return;
    const cut = new AbortController();
    const done = launch(plan, AbortSignal.any([deps.signal, cut.signal]));
    places.set(plan, { at: "starting", cut, done });
    await done;
  }

  async function drain(plan: ExecutorPlan): Promise<void> {
    const place = places.get(plan);
    if (place?.at === "draining") return await place.done;
    if (place?.at !== "up") return;
    const { kept } = place;
    const done = kept.stop(graceMs).finally(() => places.delete(plan));
    places.set(plan, { at: "draining", kept, done });
    await done;
  }

  return {
    plans: () => plans.filter((plan) => ["starting", "up"].includes(places.get(plan)?.at ?? "")),
    spare: (pool) => plans.find((plan) => plan.pool === pool && !places.has(plan)),
    isUp: (plan) => places.get(plan)?.at === "up",
    start,
    drain,
    processes: () => [...places.values()].flatMap((place) => (place.at === "starting" ? [] : [place.kept])),
    async stop() {
      stopped = true;
      for (const place of places.values()) {
        if (place.at !== "starting") continue;
        place.cut.abort(new Error("the stack stops"));
        // Whoever started it hears of it.
        await place.done.catch(() => undefined);
      }
      await Promise.all([...places.keys()].map(drain));
    },
  };
}
