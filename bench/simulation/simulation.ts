import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ScaleSettings } from "../../src/shared/scaling.ts";
import { createRandom } from "../chaos/random.ts";
import { rounded, table } from "../figures.ts";
import { type Arrivals, day, DAY_SECONDS } from "./day.ts";
import { dayPicture, fleetsPicture } from "./pictures.ts";
import { type FleetOutcome, simulate } from "./simulate.ts";

const SEED = 20_261_124;
const MILLION = 1_000_000;
const FIXED = [1, 3, 10, 20, 30, 40, 60, 100, 150, 200, 250, 300, 500, 1_000];
/** Loads of a day that the fleet which scales is tried with; the last one's rush takes nearly all of a thousand. */
const LOADS = [10_000, 100_000, MILLION, 4 * MILLION];
const TARGETS = [2, 10, 60];
/** From the wish for an executor to its first job: the image is there, a place on a node too. */
const START_SECONDS = 30;
const LOOK_SECONDS = 5;
const PICTURES = join(import.meta.dirname, "../../docs/scaling");

interface Row {
  readonly p50Seconds: number;
  readonly p95Seconds: number;
  readonly p99Seconds: number;
  readonly contestP95Seconds: number;
  readonly utilisation: number;
  readonly executorHours: number;
}

export interface FixedRow extends Row {
  readonly executors: number;
}

interface ScaledRow extends Row {
  readonly perDay: number;
  readonly targetWaitSeconds: number;
  readonly mostExecutors: number;
}

export interface ScaledDay {
  readonly name: string;
  readonly perDay: number;
  readonly arrivals: Arrivals;
  readonly outcome: FleetOutcome;
}

function rowOf(arrivals: Arrivals, outcome: FleetOutcome): Row {
  const all = outcome.waitSeconds.toSorted();
  const contest = outcome.waitSeconds.filter((_, job) => arrivals.contest[job] === 1).toSorted();
  const at = (sorted: Float64Array, part: number): number =>
    rounded(sorted[Math.ceil(part * sorted.length) - 1] ?? Number.NaN, 3);
  return {
    p50Seconds: at(all, 0.5),
    p95Seconds: at(all, 0.95),
    p99Seconds: at(all, 0.99),
    contestP95Seconds: at(contest, 0.95),
    utilisation: rounded(outcome.utilisation, 3),
    executorHours: Math.round(outcome.executorHours),
  };
}

function scaled(perDay: number, targetWaitSeconds: number): ScaledRow & ScaledDay {
  const arrivals = day(createRandom(SEED), perDay);
  const settings = ScaleSettings.parse({ least: 1, most: 1_000, targetWaitSeconds, coolDownSeconds: 120 });
  const scale = { settings, lookSeconds: LOOK_SECONDS, startSeconds: START_SECONDS };
  const outcome = simulate(arrivals, { executors: 1, scale, untilSeconds: DAY_SECONDS });
  const name = `A day of ${perDay.toLocaleString("en")} submissions on a pool that scales for a wait of ${targetWaitSeconds} s`;
  const { mostExecutors } = outcome;
  return { name, arrivals, outcome, perDay, targetWaitSeconds, mostExecutors, ...rowOf(arrivals, outcome) };
}

const HEAD = ["p50", "p95", "p99", "contest p95", "utilisation", "executor-hours"];
const cells = (row: Row): string[] => [
  ...[row.p50Seconds, row.p95Seconds, row.p99Seconds, row.contestP95Seconds].map(
    (seconds) => `${seconds < 100 ? seconds.toFixed(2) : Math.round(seconds)} s`,
  ),
  `${(row.utilisation * 100).toFixed(1)} %`,
  String(row.executorHours),
];

/**
 * One day of submissions with a contest rush, on fleets of 1 to 1,000 executors and on one that scales by the same
 * function as the server's. `pictures`: the folder for them, by default docs/scaling.
 */
export async function simulation(pictures: string = PICTURES): Promise<object> {
  const arrivals = day(createRandom(SEED), MILLION);
  const meanServiceSeconds = rounded(
    arrivals.serviceSeconds.reduce((sum, seconds) => sum + seconds, 0) / arrivals.count,
    3,
  );
  console.log(
    `${arrivals.count} submissions a day, a quarter of them in a contest of two hours; each holds a slot for ` +
      `${meanServiceSeconds} s in the mean, so ${rounded((arrivals.count * meanServiceSeconds) / DAY_SECONDS)} slots are busy all day.\n`,
  );
  const fixed = FIXED.map((executors): FixedRow => {
    const outcome = simulate(arrivals, { executors, untilSeconds: DAY_SECONDS });
    return { executors, ...rowOf(arrivals, outcome) };
  });
  console.log(table([["executors, always", ...HEAD], ...fixed.map((row) => [row.executors, ...cells(row)])]));

  const rows: ScaledRow[] = [];
  await mkdir(pictures, { recursive: true });
  for (const [perDay, target] of [
    ...LOADS.filter((load) => load !== MILLION).map((load) => [load, 10] as const),
    ...TARGETS.map((seconds) => [MILLION, seconds] as const),
  ]) {
    const { name, arrivals: came, outcome, ...row } = scaled(perDay, target);
    rows.push(row);
    if (perDay === MILLION && target === 10) {
      await writeFile(join(pictures, "day.svg"), dayPicture({ name, perDay, arrivals: came, outcome }));
    }
  }
  rows.sort((a, b) => a.perDay - b.perDay || a.targetWaitSeconds - b.targetWaitSeconds);
  const head = ["submissions a day", "target wait", "most executors", ...HEAD];
  const scaledCells = rows.map((row) => [
    row.perDay,
    `${row.targetWaitSeconds} s`,
    row.mostExecutors,
    ...cells(row),
  ]);
  console.log(`\n${table([head, ...scaledCells])}\n`);
  const title = "A day of 1,000,000 submissions with a contest rush, on fleets that stay as they are";
  await writeFile(join(pictures, "fleets.svg"), fleetsPicture(title, fixed));
  return { submissions: arrivals.count, meanServiceSeconds, fixed, scaled: rows };
}
