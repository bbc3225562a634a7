import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import { ExecutorId } from "../shared/ids.ts";
import { Lane, LANES } from "../shared/lane.ts";
import { LanguageId } from "../shared/language.ts";

/** What a pool's work needs most; a local stack sizes slots by it, a cluster its machines. */
export const ResourceProfile = z.enum(["cpu", "compile-heavy", "gpu"]);
export type ResourceProfile = z.infer<typeof ResourceProfile>;

/**
 * Share of the CPU of a pool's programs, all of an executor together, against everything else on the machine: compilers
 * take what others leave, so that a storm of them does not slow down short runs beside it.
 */
export const CPU_WEIGHTS: Readonly<Record<ResourceProfile, number>> = {
  cpu: 100,
  "compile-heavy": 5,
  gpu: 100,
};

export const PoolConfig = z
  .strictObject({
    /** Part of its executors' names. */
    name: z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, "1 to 31 of a-z, 0-9, '-', starting with a letter"),
    languages: z.array(LanguageId).default([]),
    /** Folders of kinds of work besides judging (docs/workloads.md), relative to the file. */
    workloads: z.array(z.string()).default([]),
    /** In the order they are asked. */
    lanes: z
      .array(Lane)
      .min(1)
      .default([...LANES]),
    executors: z.int().min(1).max(32).default(1),
    /** Jobs run at once by each executor; left out: from the core count. */
    slots: z.int().min(1).max(64).optional(),
    /** Slots of each executor that take contest jobs only. */
    contestReserved: z.int().min(0).default(0),
    profile: ResourceProfile.default("cpu"),
  })
  .refine((pool) => pool.languages.length + pool.workloads.length > 0, {
    message: "a pool needs languages or workloads",
    path: ["languages"],
  })
  .refine((pool) => pool.slots === undefined || pool.contestReserved < pool.slots, {
    message: "contestReserved must leave at least one slot for other lanes",
    path: ["contestReserved"],
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
export interface ExecutorPlan {
  readonly id: ExecutorId;
  readonly pool: string;
  readonly languages: readonly LanguageId[];
  /** Absolute folders. */
  readonly workloads: readonly string[];
  readonly lanes: readonly Lane[];
  readonly slots: number;
  readonly contestReserved: number;
  readonly profile: ResourceProfile;
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
  const problems = parsed.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
  throw new PoolConfigError(`${path} is not usable:\n${problems.join("\n")}`);
}

/** Half the cores for runs, as compilers and validators want the other half; at least one. */
const defaultSlots = (profile: ResourceProfile, cores: number): number =>
  profile === "gpu" ? 1 : Math.max(1, Math.floor(cores / (profile === "cpu" ? 2 : 4)));

/**
 * The processes that the pools ask for. Executor ids carry the stack's own id, because they name cgroups too and
 * several stacks may run on one machine. Throws zod's error for a malformed pool.
 */
export function planExecutors(pools: readonly PoolConfig[], stack: string, cores: number): ExecutorPlan[] {
  return pools.flatMap((given) => {
    const pool = PoolConfig.parse(given);
    const slots = pool.slots ?? Math.max(pool.contestReserved + 1, defaultSlots(pool.profile, cores));
    return Array.from({ length: pool.executors }, (_, index) => ({
      id: ExecutorId.parse(`${pool.name}-${index + 1}-${stack}`),
      pool: pool.name,
      languages: pool.languages,
      workloads: pool.workloads,
      lanes: pool.lanes,
      slots,
      contestReserved: pool.contestReserved,
      profile: pool.profile,
    }));
  });
}
