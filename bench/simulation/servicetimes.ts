import type { BenchLanguage } from "../sum.ts";
import type { Random } from "../chaos/random.ts";

/**
 * How long a submission of three small tests took from submit to its final update, milliseconds: `npm run bench --
 * verdict` on an otherwise idle machine with 2 cores (AMD EPYC), 2026-11-24; docs/performance.md has the whole table.
 */
const MEASURED: Readonly<Record<BenchLanguage, { p50: number; p90: number; p99: number }>> = {
  c: { p50: 98, p90: 110, p99: 130 },
  cpp: { p50: 303, p90: 315, p99: 348 },
  python: { p50: 90, p90: 96, p99: 107 },
  java: { p50: 485, p90: 505, p99: 513 },
  go: { p50: 120, p90: 131, p99: 138 },
  rust: { p50: 237, p90: 251, p99: 262 },
  javascript: { p50: 118, p90: 122, p99: 129 },
};
/** Of that, outside the executor: 6 ms to the answer and 4 ms from `finished` to the update, measured there too. */
const OUTSIDE_MS = 10;
/** Tests of those submissions, and what each further one costs besides the program's own time: a Python one, there. */
const MEASURED_TESTS = 3;
const TEST_MS = 15;

/** What nobody can measure here: who hands in what. */
export const ASSUMED = {
  /** Parts of the submissions. */
  languages: { cpp: 50, python: 30, java: 12, c: 3, go: 2, rust: 2, javascript: 1 },
  tests: 20,
  /** The programs' own running time over all tests is log-normal; seconds. */
  running: { p50: 1, p95: 6 },
} as const satisfies {
  languages: Readonly<Record<BenchLanguage, number>>;
  tests: number;
  running: { p50: number; p95: number };
};

/** z of the 95th percentile of the normal distribution. */
const Z95 = 1.6449;
const SIGMA = Math.log(ASSUMED.running.p95 / ASSUMED.running.p50) / Z95;

/** Standard normal (Box and Muller). */
const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());

/** Through the measured quantiles; beyond them as they end. */
function between({ p50, p90, p99 }: { p50: number; p90: number; p99: number }, share: number): number {
  if (share <= 0.5) return p50;
  if (share <= 0.9) return p50 + ((share - 0.5) / 0.4) * (p90 - p50);
  return p90 + (Math.min(share, 0.99) - 0.9) * ((p99 - p90) / 0.09);
}

/** How long one submission holds a slot, seconds. */
export function serviceSeconds(random: Random): number {
  const measured = between(MEASURED[random.weighted(ASSUMED.languages)], random.next());
  const fixedMs = measured - OUTSIDE_MS + (ASSUMED.tests - MEASURED_TESTS) * TEST_MS;
  return fixedMs / 1_000 + ASSUMED.running.p50 * Math.exp(SIGMA * normal(random));
}
