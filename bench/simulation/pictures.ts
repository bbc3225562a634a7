import { roundUp } from "../soak/picture.ts";
import { type Chart, type Line, picture } from "./chart.ts";
import { CONTEST, DAY_SECONDS, rateAt } from "./day.ts";
import type { FixedRow, ScaledDay } from "./simulation.ts";

const MINUTE = 60;
/** Points of a line over a day: one each five minutes. */
const EVERY_SECONDS = 5 * MINUTE;

const HOURS = [0, 4, 8, 12, 16, 20, 24].map((hour) => ({ at: hour, text: `${hour}:00` }));
const x = { from: 0, to: 24, log: false, marks: HOURS };

/** Waits go over many powers of ten. */
const TIMES = [
  { at: 0.001, text: "1 ms" },
  { at: 0.01, text: "10 ms" },
  { at: 0.1, text: "100 ms" },
  { at: 1, text: "1 s" },
  { at: 10, text: "10 s" },
  { at: MINUTE, text: "1 min" },
  { at: 10 * MINUTE, text: "10 min" },
  { at: 60 * MINUTE, text: "1 h" },
  { at: 600 * MINUTE, text: "10 h" },
  { at: DAY_SECONDS * 4, text: "4 days" },
  { at: DAY_SECONDS * 40, text: "40 days" },
];

const times = (from: number, to: number): Chart["y"] => ({
  from,
  to,
  log: true,
  marks: TIMES.filter(({ at }) => at >= from && at <= to),
});

function fromZero(lines: readonly Line[]): Chart["y"] {
  const to = roundUp(Math.max(0, ...lines.flatMap(({ points }) => points.map(([, value]) => value))));
  const marks = [0, to / 2, to].map((at) => ({ at, text: String(at) }));
  return { from: 0, to, log: false, marks };
}

/** One day of the fleet that scales. */
export function dayPicture({ name, perDay, arrivals, outcome }: ScaledDay): string {
  const bins = DAY_SECONDS / EVERY_SECONDS;
  const waits = { contest: [] as number[][], practice: [] as number[][] };
  for (let job = 0; job < arrivals.count; job++) {
    const bin = Math.floor((arrivals.atSeconds[job] ?? 0) / EVERY_SECONDS);
    const lane = waits[arrivals.contest[job] === 1 ? "contest" : "practice"];
    (lane[bin] ??= []).push(outcome.waitSeconds[job] ?? 0);
  }
  const over = (of: (bin: number) => number): (readonly [number, number])[] =>
    Array.from({ length: bins }, (_, bin) => [(bin * EVERY_SECONDS) / 3_600, of(bin)]);
  const p95 = (lane: "contest" | "practice") => (bin: number) => {
    const sorted = Float64Array.from(waits[lane][bin] ?? []).toSorted();
    return sorted[Math.ceil(0.95 * sorted.length) - 1] ?? Number.NaN;
  };
  const looks = outcome.looks.filter(({ atSeconds }) => atSeconds < DAY_SECONDS);
  const step = Math.max(1, Math.floor(looks.length / 1_440));
  const seen = looks.filter((_, index) => index % step === 0);
  const line = (label: string, of: (look: (typeof looks)[number]) => number): Line => ({
    name: label,
    points: seen.map((look) => [look.atSeconds / 3_600, of(look)]),
  });
  const rates: Line[] = (["practice", "contest"] as const).map((lane) => ({
    name: lane,
    points: over((bin) => rateAt(bin * EVERY_SECONDS, perDay)[lane]),
  }));
  const fleet = [
    line("executors", (look) => look.executors),
    line("busy", (look) => Math.min(look.busy, look.executors)),
  ];
  return picture(name, [
    { title: "Submissions per second", lines: rates, x, y: fromZero(rates) },
    { title: "Executors of one slot", lines: fleet, x, y: fromZero(fleet) },
    {
      title: `Wait until it starts, 95th percentile of each five minutes (contest ${CONTEST.from / 3_600}:00 to ${CONTEST.to / 3_600}:00)`,
      lines: [
        { name: "practice", points: over(p95("practice")) },
        { name: "contest", points: over(p95("contest")) },
      ],
      x,
      y: times(0.01, MINUTE),
    },
  ]);
}

/** Waits and use of fleets that stay as they are. */
export function fleetsPicture(head: string, rows: readonly FixedRow[]): string {
  const executors = {
    from: 1,
    to: 1_000,
    log: true,
    marks: rows
      .filter(({ executors: count }) => [1, 10, 30, 100, 300, 1_000].includes(count))
      .map((row) => ({ at: row.executors, text: String(row.executors) })),
  };
  const lines = (["p50Seconds", "p95Seconds", "p99Seconds"] as const).map((field): Line => ({
    name: field.replace("Seconds", ""),
    points: rows.map((row) => [row.executors, row[field]]),
    dots: true,
  }));
  const use: Line = {
    name: "utilisation",
    points: rows.map((row) => [row.executors, row.utilisation * 100]),
    dots: true,
  };
  return picture(head, [
    {
      title: "Wait until it starts, by executors (no wait at all: at the bottom)",
      lines,
      x: executors,
      y: times(0.001, 40 * DAY_SECONDS),
    },
    { title: "Busy part of their time, %", lines: [use], x: executors, y: fromZero([use]) },
  ]);
}
