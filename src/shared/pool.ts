import { z } from "zod";
import { envInt, envList } from "./env.ts";
import { lanesAsText, lanesFromText, LaneWeights } from "./lane.ts";
import { LANGUAGES, LanguageId } from "./language.ts";
import { BOUNDS } from "./limits.ts";
import { WorkloadFolders } from "./workload.ts";

/**
 * What makes a pool's executors alike. The supervisor reads it from docket.config.json and hands it to each process in
 * its environment; who starts executors otherwise sets the same variables. Both ends are here, with the same rules.
 */

export const PoolName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,30}$/, "1 to 31 of a-z, 0-9, '-', starting with a letter")
  .brand<"PoolName">();
export type PoolName = z.infer<typeof PoolName>;

/** What a pool's work needs most; a local stack sizes slots by it, a cluster its machines. */
export const ResourceProfile = z.enum(["cpu", "compile-heavy", "gpu"]);
export type ResourceProfile = z.infer<typeof ResourceProfile>;

/** A device that programs of this pool may use, and how an executor proves that it is there. */
export const Gpu = z.strictObject({
  /** Device files, shown to programs under the same path. */
  devices: z
    .array(z.string().regex(/^\/dev\/[\w.-]+(\/[\w.-]+)*$/, "expected a path below /dev"))
    .min(1)
    .max(16),
  /** Command that ends with 0 where the device works, such as nvidia-smi -L; left out: opening the files will do. */
  probe: z.array(z.string().min(1)).min(1).optional(),
});
export type Gpu = z.infer<typeof Gpu>;

export interface PoolSetup {
  readonly pool: PoolName;
  readonly languages: readonly LanguageId[];
  /** Folders of kinds of work besides judging (workload.ts); absolute. */
  readonly workloads: readonly string[];
  readonly lanes: LaneWeights;
  /** Jobs run at once. */
  readonly slots: number;
  /** As far as the slots can be raised while it runs. */
  readonly mostSlots: number;
  /** So many slots take contest jobs only. */
  readonly contestReserved: number;
  readonly profile: ResourceProfile;
  /** Of the profile gpu. */
  readonly gpu?: Gpu | undefined;
}

export const SLOTS_MOST = 256;

interface Problem {
  readonly field: keyof PoolSetup;
  readonly message: string;
}

/** What is wrong with a pool although each field by itself is right. Slots that nobody has chosen yet are left out. */
export function poolProblems(
  pool: Pick<PoolSetup, "languages" | "workloads" | "contestReserved" | "profile" | "gpu"> & {
    readonly slots?: number | undefined;
    readonly mostSlots?: number | undefined;
  },
): Problem[] {
  const problems: Problem[] = [];
  const { languages, slots, mostSlots, contestReserved, profile, gpu } = pool;
  if (languages.length + pool.workloads.length === 0)
    problems.push({ field: "languages", message: "expected at least one (or a workload)" });
  if (slots !== undefined && contestReserved > slots)
    problems.push({ field: "contestReserved", message: `expected at most the ${slots} slots` });
  if (slots !== undefined && mostSlots !== undefined && mostSlots < slots)
    problems.push({ field: "mostSlots", message: `expected at least the ${slots} slots` });
  const needing = languages.filter((id) => LANGUAGES[id].resource === "gpu");
  const others = languages.filter((id) => LANGUAGES[id].resource === undefined);
  if (profile === "gpu") {
    if (gpu === undefined)
      problems.push({
        field: "gpu",
        message: "expected devices: a pool of the profile gpu proves what it has",
      });
    if (others.length > 0) {
      const message = `${others.join(", ")} would hold the device without using it: expected only languages that need a gpu`;
      problems.push({ field: "languages", message });
    }
  } else {
    if (gpu !== undefined)
      problems.push({ field: "gpu", message: `expected none: the profile is ${profile}, not gpu` });
    if (needing.length > 0)
      problems.push({
        field: "languages",
        message: `${needing.join(", ")}: only in a pool of the profile gpu`,
      });
  }
  return problems;
}

/** The variables by which an executor is told its pool. */
export const poolEnvironment = (setup: PoolSetup): Record<string, string> => ({
  DOCKET_POOL: setup.pool,
  DOCKET_LANGUAGES: setup.languages.join(","),
  DOCKET_WORKLOADS: setup.workloads.join(","),
  DOCKET_LANES: lanesAsText(setup.lanes),
  DOCKET_SLOTS: String(setup.slots),
  DOCKET_MOST_SLOTS: String(setup.mostSlots),
  DOCKET_CONTEST_RESERVED: String(setup.contestReserved),
  DOCKET_PROFILE: setup.profile,
  DOCKET_GPU_DEVICES: setup.gpu?.devices.join(",") ?? "",
  DOCKET_GPU_PROBE: setup.gpu?.probe === undefined ? "" : JSON.stringify(setup.gpu.probe),
});

const LanesText = z.string().transform((text, context): LaneWeights => {
  const lanes = lanesFromText(text);
  if (typeof lanes !== "string") return lanes;
  context.addIssue({ code: "custom", message: lanes });
  return z.NEVER;
});

const Command = z.string().transform((text, context): string[] => {
  try {
    const parsed = Gpu.shape.probe.unwrap().safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
  } catch {
    // Said below.
  }
  context.addIssue({
    code: "custom",
    message: 'expected a command as a JSON list, such as ["nvidia-smi","-L"]',
  });
  return z.NEVER;
});

const NAMES: Readonly<Record<keyof PoolSetup, string>> = {
  pool: "DOCKET_POOL",
  languages: "DOCKET_LANGUAGES",
  workloads: "DOCKET_WORKLOADS",
  lanes: "DOCKET_LANES",
  slots: "DOCKET_SLOTS",
  mostSlots: "DOCKET_MOST_SLOTS",
  contestReserved: "DOCKET_CONTEST_RESERVED",
  profile: "DOCKET_PROFILE",
  gpu: "DOCKET_GPU_DEVICES",
};

/** Reads them. */
const Variables = z.object({
  DOCKET_POOL: PoolName,
  DOCKET_LANGUAGES: envList(LanguageId).default([]),
  DOCKET_WORKLOADS: WorkloadFolders,
  DOCKET_LANES: LanesText,
  DOCKET_SLOTS: z.coerce.number().int().min(1).max(SLOTS_MOST),
  DOCKET_MOST_SLOTS: z.coerce.number().int().min(1).max(SLOTS_MOST).optional(),
  DOCKET_CONTEST_RESERVED: envInt(0),
  DOCKET_PROFILE: ResourceProfile.default("cpu"),
  DOCKET_GPU_DEVICES: envList(Gpu.shape.devices.element).default([]),
  DOCKET_GPU_PROBE: Command.optional(),
});

export const poolVariables = Variables.shape;

/** The pool in these variables; issues name the variable. */
export function poolSetupOf(given: z.infer<typeof Variables>): PoolSetup {
  const devices = [...new Set(given.DOCKET_GPU_DEVICES)];
  const probe = given.DOCKET_GPU_PROBE;
  return {
    pool: given.DOCKET_POOL,
    languages: [...new Set(given.DOCKET_LANGUAGES)],
    workloads: [...new Set(given.DOCKET_WORKLOADS)],
    lanes: given.DOCKET_LANES,
    slots: given.DOCKET_SLOTS,
    mostSlots: given.DOCKET_MOST_SLOTS ?? given.DOCKET_SLOTS,
    contestReserved: given.DOCKET_CONTEST_RESERVED,
    profile: given.DOCKET_PROFILE,
    ...(devices.length === 0 ? {} : { gpu: { devices, ...(probe === undefined ? {} : { probe }) } }),
  };
}

/** What is wrong with them together, by variable. */
export const variableProblems = (setup: PoolSetup): string[] =>
  poolProblems(setup).map(({ field, message }) => `${NAMES[field]}: ${message}`);

/**
 * What was changed of a pool while it runs: whole each time, newest `change` counts. What is left out is as the
 * executors were started with.
 */
export const PoolSettings = z.object({
  /** 0: nothing was ever changed. */
  change: z.int().min(0),
  slots: z.int().min(1).max(SLOTS_MOST).optional(),
  lanes: LaneWeights.optional(),
  /** Takes no further jobs. Draining: what runs is given back after the executor's grace time, too. */
  hold: z
    .object({ mode: z.enum(["paused", "draining"]), reason: z.string().max(BOUNDS.presenceCharacters.value) })
    .optional(),
});
export type PoolSettings = z.infer<typeof PoolSettings>;
