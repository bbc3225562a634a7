import { median } from "../figures.ts";
import type { ProcessSample } from "./processes.ts";
import type { Surroundings } from "./surroundings.ts";

/** One look at everything. */
export interface Sample {
  /** Since the open load began, minutes. */
  readonly atMinutes: number;
  readonly processes: readonly ProcessSample[];
  readonly surroundings: Surroundings;
  readonly unfinished: number;
  readonly submissions: number;
  /** Ends since the sample before. */
  readonly finished: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** The run is looked at in sixths: the first is warm-up, the second is what the last is compared with. */
const PARTS = 6;

const part = (samples: readonly Sample[], minutes: number, which: number): readonly Sample[] =>
  samples.filter(({ atMinutes }) => {
    const sixth = Math.min(PARTS - 1, Math.floor((atMinutes / minutes) * PARTS));
    return sixth === which;
  });

/** How much larger the median of the last sixth is than that of the sixth after warm-up: 0.05 is 5 %. */
export function growth(
  samples: readonly Sample[],
  minutes: number,
  of: (sample: Sample) => number | undefined,
): number {
  const values = (which: number): number[] =>
    part(samples, minutes, which)
      .map(of)
      .filter((value): value is number => value !== undefined && Number.isFinite(value));
  return median(values(PARTS - 1)) / median(values(1)) - 1;
}

export const processNames = (samples: readonly Sample[]): string[] => [
  ...new Set(samples.flatMap(({ processes }) => processes.map(({ name }) => name))),
];

/** Of each process; those without the value are left out. */
export function growthOfEach(
  samples: readonly Sample[],
  minutes: number,
  of: (process: ProcessSample) => number | undefined,
): Record<string, number> {
  const grown: Record<string, number> = {};
  for (const name of processNames(samples)) {
    const value = growth(samples, minutes, ({ processes }) => {
      const process = processes.find((one) => one.name === name);
      return process && of(process);
    });
    if (Number.isFinite(value)) grown[name] = value;
  }
  return grown;
}

/** The worst of them; NaN for none, which holds no bound. */
export const worst = (grown: Readonly<Record<string, number>>): number =>
  Object.values(grown).reduce(
    (most, value) => (value > most ? value : most),
    Object.values(grown)[0] ?? Number.NaN,
  );
