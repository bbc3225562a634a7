import { z } from "zod";

/** Between how many executors a pool may have, and what it is sized for. */
export const ScaleSettings = z
  .strictObject({
    /** At least one: what no executor offers is refused at intake after a while. */
    least: z.int().min(1).default(1),
    most: z.int().min(1).max(1_000),
    /** 95 in 100 jobs are to wait no longer than so. */
    targetWaitSeconds: z.number().min(0.1).max(86_400).default(10),
    /** So long less must have been enough before a pool shrinks. */
    coolDownSeconds: z.number().min(0).max(86_400).default(120),
  })
  .refine(({ least, most }) => least <= most, { message: "least is more than most", path: ["least"] });
export type ScaleSettings = z.infer<typeof ScaleSettings>;

/** Settings by the names of pools, from a variable: `{"scripts": {"least": 1, "most": 4}}`. */
export const ScaleByPool = z
  .string()
  .default("{}")
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: "custom", message: 'expected JSON such as {"scripts":{"most":4}}' });
      return z.NEVER;
    }
  })
  .pipe(z.record(z.string().min(1), ScaleSettings));
export type ScaleByPool = Readonly<z.infer<typeof ScaleByPool>>;

/** Of a pool that nobody has set any for: its number is told, whoever starts executors has the say. */
export const DEFAULT_SCALE: ScaleSettings = ScaleSettings.parse({ most: 100 });

/** The part of one queue's lane that falls to a pool. */
export interface QueueLoad {
  /** Jobs that wait. */
  readonly waiting: number;
  readonly arrivalsPerSecond: number;
  /** Mean time that a job holds a slot. */
  readonly serviceSeconds: number;
  /** Contest jobs may use every slot, others not the reserved ones. */
  readonly contest: boolean;
}

/** What one executor of a pool has room for. */
export interface ExecutorShape {
  readonly slots: number;
  /** Of them, those that take contest jobs only; fewer than `slots`. */
  readonly contestReserved: number;
}

/** 95 in 100: the tail of the wait falls as e^(−t × free slots ÷ service time), so this many service times' worth. */
const TAIL = Math.log(20);
/** Spare slots in standard deviations of what is busy, which for Poisson arrivals is the root of its mean. */
const DEVIATIONS = 2;
/** A pool shrinks to what a load so much above the present one would need, so that small changes move nothing. */
export const BAND = 0.15;

/**
 * Slots that these loads need: (backlog + arrivals within the target wait) × service time ÷ target wait, and spare ones
 * on top, as a pool without any makes even a steady load wait without bound. A job longer than the target wait needs a
 * slot of its own and not more. Grows with each waiting job and each arrival.
 */
export function slotsNeeded(loads: readonly QueueLoad[], targetWaitSeconds: number): number {
  const sum = (of: (load: QueueLoad) => number): number => loads.reduce((total, load) => total + of(load), 0);
  const backlog = sum(({ waiting, serviceSeconds }) =>
    Math.min(waiting, (waiting * serviceSeconds) / targetWaitSeconds),
  );
  const busy = sum(({ arrivalsPerSecond, serviceSeconds }) => arrivalsPerSecond * serviceSeconds);
  // Of what arrives, by the time it takes: long jobs decide how long a full pool stays full.
  const weighted = sum(
    ({ arrivalsPerSecond, serviceSeconds }) => arrivalsPerSecond * serviceSeconds * serviceSeconds,
  );
  const meanSeconds = busy === 0 ? 0 : weighted / busy;
  const spare = Math.min((TAIL * meanSeconds) / targetWaitSeconds, DEVIATIONS * Math.sqrt(busy));
  return backlog + busy + spare;
}

/** Executors that these loads need, not rounded and without bounds. */
export function executorsNeeded(
  shape: ExecutorShape,
  loads: readonly QueueLoad[],
  targetWaitSeconds: number,
): number {
  const slots = Math.max(1, shape.slots);
  const open = Math.max(1, slots - shape.contestReserved);
  const others = loads.filter((load) => !load.contest);
  return Math.max(
    slotsNeeded(loads, targetWaitSeconds) / slots,
    slotsNeeded(others, targetWaitSeconds) / open,
  );
}

/** What is remembered of a pool between two looks. */
export interface ScaleState {
  readonly desired: number;
  /** Since when less would have been enough, and the most that was needed since. */
  readonly quiet?: { readonly sinceSeconds: number; readonly peak: number };
}

const clamp = (settings: ScaleSettings, executors: number): number =>
  Math.min(settings.most, Math.max(settings.least, executors));

/**
 * The next desired number of executors. It grows at once; it shrinks when for the whole cool-down less was enough, to
 * the most that was needed meanwhile. So after growing, nothing shrinks for a cool-down, whatever the noise.
 * `executors`: those there are, where a pool that nothing is remembered of begins. `nowSeconds` never goes back.
 */
export function scale(
  settings: ScaleSettings,
  state: ScaleState | undefined,
  input: { readonly needed: number; readonly executors: number; readonly nowSeconds: number },
): ScaleState {
  const { needed, executors, nowSeconds } = input;
  const current = clamp(settings, state?.desired ?? executors);
  const up = clamp(settings, Math.ceil(needed));
  if (up > current) return { desired: up };
  const down = clamp(settings, Math.ceil(needed * (1 + BAND)));
  if (down >= current) return { desired: current };
  const sinceSeconds = state?.quiet?.sinceSeconds ?? nowSeconds;
  const peak = Math.max(down, state?.quiet?.peak ?? 0);
  if (nowSeconds - sinceSeconds < settings.coolDownSeconds) {
    return { desired: current, quiet: { sinceSeconds, peak } };
  }
  return { desired: clamp(settings, peak) };
}
