import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { ExecutorId } from "../shared/ids.ts";
import { LANES, Lanes, lanesOf, usualWeights } from "../shared/lane.ts";
import { LanguageId } from "../shared/language.ts";
import { Gpu, PoolName, poolProblems, type PoolSetup, ResourceProfile } from "../shared/pool.ts";
import { type ScaleByPool, ScaleSettings } from "../shared/scaling.ts";
import { EXECUTORS_MAX, SLOTS_MAX } from "./uidblock.ts";

/**
 * Share of the CPU of a pool's programs, all of an executor together, against everything else on the machine: compilers
 * take what others leave, so that a storm of them does not slow down short runs beside it.
 */
export const CPU_WEIGHTS: Readonly<Record<ResourceProfile, number>> = {
  cpu: 100,
  "compile-heavy": 5,
  gpu: 100,
};

/** Most executors and slots of a pool on one machine. */
const EXECUTORS_MOST = 32;
const SLOTS_HERE_MOST = 64;

export const PoolConfig = z
  .strictObject({
    /** Part of its executors' names. */
    name: PoolName,
    languages: z.array(LanguageId).default([]),
    /** Folders of kinds of work besides judging (docs/workloads.md), relative to the file. */
    workloads: z.array(z.string()).default([]),
    /** A list, or weights: how often each begins a turn. Left out: all, contest first. */
    lanes: Lanes.default(usualWeights(LANES)),
    /** Processes at the start; left out: `scale.least`, or 1. */
    executors: z.int().min(1).max(EXECUTORS_MOST).optional(),
    /** Between how many it grows and shrinks by itself; left out: it stays as it is. */
    scale: ScaleSettings.refine(({ most }) => most <= EXECUTORS_MOST, {
      message: `expected at most ${EXECUTORS_MOST} on one machine`,
      path: ["most"],
    }).optional(),
    /** Jobs run at once by each executor; left out: from the core count. */
    slots: z.int().min(1).max(SLOTS_HERE_MOST).optional(),
    /** As far as they can be raised while it runs; left out: from the core count. */
    mostSlots: z.int().min(1).max(SLOTS_HERE_MOST).optional(),
    /** Slots of each executor that take contest jobs only. */
    contestReserved: z.int().min(0).default(0),
    profile: ResourceProfile.default("cpu"),
    /** Of the profile gpu: its devices. */
    gpu: Gpu.optional(),
  })
  .superRefine((pool, context) => {
    for (const { field, message } of poolProblems(pool))
      context.addIssue({ code: "custom", path: [field], message });
    // A pool for the contest lane alone may reserve what it likes: nothing else would come.
    const others = lanesOf(pool.lanes).some((lane) => lane !== "contest");
    if (others && pool.slots !== undefined && pool.contestReserved === pool.slots) {
      const message = "contestReserved must leave at least one slot for other lanes";
      context.addIssue({ code: "custom", path: ["contestReserved"], message });
    }
    const { executors, scale } = pool;
    if (executors !== undefined && scale !== undefined) {
      const message = `expected ${scale.least} to ${scale.most}, as scale says`;
      if (executors < scale.least || executors > scale.most)
        context.addIssue({ code: "custom", path: ["executors"], message });
    }
  });
export type PoolConfig = z.input<typeof PoolConfig>;

export const DocketConfig = z.strictObject({
  $comment: z.string().optional(),
  pools: z
    .array(PoolConfig)
    .min(1)
    .refine(
      (pools) => new Set(pools.map((pool) => pool.name)).size === pools.length,
      "two pools have one name",
    ),
});

/** One executor process to run. */
export interface ExecutorPlan extends PoolSetup {
  readonly id: ExecutorId;
  /** Runs from the start; the others are started as their pool grows. */
  readonly begins: boolean;
}

/** The pool configuration cannot be used; the message lists every problem. */
export class PoolConfigError extends Error {}

/** Reads docket.config.json. Throws PoolConfigError. */
export async function readPools(path: string): Promise<readonly PoolConfig[]> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (error) {
    throw new PoolConfigError(`${path} cannot be read: ${error instanceof Error ? error.message : ""}`);
  }
  const parsed = DocketConfig.safeParse(value);
  if (parsed.success) {
    const absolute = (folder: string): string => resolve(dirname(path), folder);
    return parsed.data.pools.map((pool) => ({ ...pool, workloads: pool.workloads.map(absolute) }));
  }
  const problems = parsed.error.issues.flatMap(issueLines);
  throw new PoolConfigError(`${path} is not usable:\n${problems.join("\n")}`);
}

/** One line for each problem: its path, and what was expected. Of alternatives the one that was most nearly meant. */
function issueLines(issue: z.core.$ZodIssue): string[] {
  if (issue.code === "invalid_union") {
    const [nearest] = issue.errors.toSorted((a, b) => depth(b) - depth(a));
    if (nearest !== undefined && nearest.length > 0)
      return nearest.flatMap((one) => issueLines({ ...one, path: [...issue.path, ...one.path] }));
  }
  return [`  ${issue.path.join(".")}: ${issue.message}`];
}

const depth = (issues: readonly z.core.$ZodIssue[]): number =>
  Math.max(0, ...issues.map((issue) => issue.path.length));

/** Half the cores for runs, as compilers and validators want the other half; at least one. Large machines: more executors. */
const DEFAULT_SLOTS_MOST = 16;
const defaultSlots = (profile: ResourceProfile, cores: number): number =>
  profile === "gpu"
    ? 1
    : Math.min(DEFAULT_SLOTS_MOST, Math.max(1, Math.floor(cores / (profile === "cpu" ? 2 : 4))));

/** Room to raise them while it runs; a prepared slot costs an executor two users and a shell. */
const SPARE_SLOTS_BELOW = 8;
const defaultMost = (profile: ResourceProfile, slots: number): number =>
  profile === "gpu" ? slots : Math.max(slots, Math.min(2 * slots, SPARE_SLOTS_BELOW));

/**
 * The processes that the pools may have. Executor ids carry the stack's own id, because they name cgroups too and
 * several stacks may run on one machine. Throws zod's error for a malformed pool.
 */
export function planExecutors(pools: readonly PoolConfig[], stack: string, cores: number): ExecutorPlan[] {
  return pools.flatMap((given) => {
    const { name, executors, scale, gpu, ...pool } = PoolConfig.parse(given);
    const reserved = pool.contestReserved === 0 ? 0 : pool.contestReserved + 1;
    const slots = pool.slots ?? Math.max(reserved, defaultSlots(pool.profile, cores));
    const first = executors ?? scale?.least ?? 1;
    return Array.from({ length: scale?.most ?? first }, (_, index) => ({
      ...pool,
      ...(gpu === undefined ? {} : { gpu }),
      id: ExecutorId.parse(`${name}-${index + 1}-${stack}`),
      begins: index < first,
      pool: name,
      slots,
      mostSlots: pool.mostSlots ?? defaultMost(pool.profile, slots),
    }));
  });
}

/** Those that have what they need on this machine: a gpu pool is left out where its devices are not. */
export async function withTheirDevices(plans: readonly ExecutorPlan[]): Promise<ExecutorPlan[]> {
  const present = await Promise.all(
    plans.map(async ({ gpu }) => {
      const devices = gpu?.devices ?? [];
      const found = await Promise.all(devices.map((device) => stat(device).catch(() => undefined)));
      return found.every((one) => one !== undefined);
    }),
  );
  return plans.filter((_, index) => present[index] === true);
}

/** What the servers are told of the pools that grow and shrink. */
export const scaleOf = (pools: readonly PoolConfig[]): ScaleByPool =>
  Object.fromEntries(
    pools.flatMap((given) => {
      const { name, scale } = PoolConfig.parse(given);
      return scale === undefined ? [] : [[name, scale]];
    }),
  );

/** Each executor and slot has a user of its own, from a block of limited size. Throws PoolConfigError. */
export function checkRoom(plans: readonly ExecutorPlan[]): void {
  const slots = plans.reduce((sum, plan) => sum + plan.mostSlots, 0);
  if (plans.length <= EXECUTORS_MAX && slots <= SLOTS_MAX) return;
  throw new PoolConfigError(
    `The pools may have ${plans.length} executors with ${slots} slots together; one machine has users for ` +
      `${EXECUTORS_MAX} and ${SLOTS_MAX}. Lower executors, scale.most, slots or mostSlots.`,
  );
}
