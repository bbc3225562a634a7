import { processNames, type Sample } from "./growth.ts";
import type { SoakReport } from "./soak.ts";

/** A line of a chart: values by minute. */
interface Line {
  readonly name: string;
  readonly points: readonly (readonly [minute: number, value: number])[];
}

interface Chart {
  readonly title: string;
  readonly lines: readonly Line[];
}

const MIB = 2 ** 20;
const WIDTH = 900;
const HEIGHT = 190;
const LEFT = 60;
const RIGHT = 190;
const TOP = 30;
const BOTTOM = 26;
/** Told apart in print and by the colour-blind (Okabe and Ito). */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d1f"];

const escape = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** The least number of the form 1, 2 or 5 times a power of ten that is no less than `value`. */
export function roundUp(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value * (1 - 1e-9)) ?? 10) * power;
}

const line = (
  name: string,
  samples: readonly Sample[],
  of: (sample: Sample) => number | undefined,
): Line => ({
  name,
  points: samples.flatMap((sample): [number, number][] => {
    const value = of(sample);
    return value === undefined || !Number.isFinite(value) ? [] : [[sample.atMinutes, value]];
  }),
});

function chartsOf(samples: readonly Sample[]): Chart[] {
  const names = processNames(samples);
  const of = (sample: Sample, name: string) => sample.processes.find((process) => process.name === name);
  const last = samples.at(-1);
  const keys = (record: Readonly<Record<string, unknown>> | undefined): string[] => Object.keys(record ?? {});
  return [
    {
      title: "Resident memory after collection, MiB",
      lines: names.map((name) =>
        line(name, samples, (sample) => (of(sample, name)?.rssBytes ?? Number.NaN) / MIB),
      ),
    },
    {
      title: "Alive in the heap after collection, MiB",
      lines: names
        .filter((name) => samples.some((sample) => of(sample, name)?.heapBytes !== undefined))
        .map((name) => line(name, samples, (sample) => (of(sample, name)?.heapBytes ?? Number.NaN) / MIB)),
    },
    {
      title: "Open file handles",
      lines: names.map((name) => line(name, samples, (sample) => of(sample, name)?.handles)),
    },
    {
      title: "Messages in streams",
      // Most languages' streams are empty all the time.
      lines: keys(last?.surroundings.streams)
        .map((name) => line(name, samples, ({ surroundings }) => surroundings.streams[name]?.messages))
        .filter(({ name, points }) => name === "JUDGE_EVENTS" || points.some(([, value]) => value > 0)),
    },
    {
      title: "Disk, MiB",
      lines: keys(last?.surroundings.disk).map((name) =>
        line(name, samples, ({ surroundings }) => (surroundings.disk[name] ?? Number.NaN) / MIB),
      ),
    },
    {
      title: "Submit to final state at the client, milliseconds",
      lines: [line("p50", samples, ({ p50Ms }) => p50Ms), line("p99", samples, ({ p99Ms }) => p99Ms)],
    },
    {
      title: "Unfinished submissions",
      lines: [line("unfinished", samples, ({ unfinished }) => unfinished)],
    },
  ];
}

/** One chart whose lines start at zero, so that a slope that looks steep is steep. */
function draw({ title, lines }: Chart, top: number, minutes: number): string {
  const high = roundUp(Math.max(0, ...lines.flatMap(({ points }) => points.map(([, value]) => value))));
  const x = (minute: number): number => LEFT + (minute / minutes) * (WIDTH - LEFT - RIGHT);
  const y = (value: number): number => top + HEIGHT - BOTTOM - (value / high) * (HEIGHT - TOP - BOTTOM);
  const label = (at: string, text: string): string => `<text ${at}>${escape(text)}</text>`;
  const parts = [label(`x="${LEFT}" y="${top + 18}" font-weight="bold"`, title)];
  for (const share of [0, 0.5, 1]) {
    const level = y(high * share).toFixed(1);
    parts.push(
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${level}" y2="${level}" stroke="#ddd"/>`,
      label(
        `x="${LEFT - 6}" y="${level}" dy="4" text-anchor="end"`,
        String(Number((high * share).toPrecision(3))),
      ),
    );
  }
  for (let sixth = 0; sixth <= 6; sixth++) {
    const minute = (minutes * sixth) / 6;
    parts.push(
      label(
        `x="${x(minute).toFixed(1)}" y="${top + HEIGHT - 8}" text-anchor="middle" fill="#666"`,
        `${Number(minute.toFixed(1))} min`,
      ),
    );
  }
  lines.forEach(({ name, points }, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? "#000";
    const dash = index < COLOURS.length ? "" : ' stroke-dasharray="4 3"';
    const path = points.map(([minute, value]) => `${x(minute).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
    parts.push(
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.5"${dash}/>`,
      label(`x="${WIDTH - RIGHT + 8}" y="${top + TOP + 6 + index * 14}" fill="${colour}"`, name),
    );
  });
  return parts.join("\n");
}

/** The whole run as an SVG drawing; the grey band is the warm-up. */
export function picture(
  samples: readonly Sample[],
  report: Pick<SoakReport, "minutes" | "submissions" | "ratePerSecond" | "capacityPerSecond" | "rssGrowth">,
): string {
  const charts = chartsOf(samples).filter(({ lines }) => lines.length > 0);
  const height = 40 + charts.length * HEIGHT;
  const band = (WIDTH - LEFT - RIGHT) / 6;
  const head = `Docket soak: ${report.submissions} submissions at ${report.ratePerSecond}/s (capacity ${report.capacityPerSecond}/s), memory grew by ${(report.rssGrowth * 100).toFixed(1)} % at most`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#fff"/>
<text x="${LEFT}" y="24" font-size="14">${escape(head)}</text>
${charts
  .map(
    (chart, index) =>
      `<rect x="${LEFT}" y="${40 + index * HEIGHT + TOP}" width="${band}" height="${HEIGHT - TOP - BOTTOM}" fill="#f3f3f3"/>\n${draw(chart, 40 + index * HEIGHT, report.minutes)}`,
  )
  .join("\n")}
</svg>
`;
}
