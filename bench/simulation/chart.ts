/** A line of a chart; NaN is a gap. */
export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** A mark at each point. */
  readonly dots?: boolean;
}

interface Axis {
  readonly from: number;
  readonly to: number;
  readonly log: boolean;
  readonly marks: readonly { readonly at: number; readonly text: string }[];
}

export interface Chart {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly x: Axis;
  readonly y: Axis;
}

const WIDTH = 900;
const HEIGHT = 230;
const LEFT = 70;
const RIGHT = 170;
const TOP = 34;
const BOTTOM = 28;
/** Told apart in print and by the colour-blind (Okabe and Ito). */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7"];

const escape = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** From 0 to 1. */
function share({ from, to, log }: Axis, value: number): number {
  if (log) return Math.log(Math.max(value, from) / from) / Math.log(to / from);
  return (value - from) / (to - from);
}

function draw({ title, lines, x, y }: Chart, top: number): string {
  const across = (value: number): string => (LEFT + share(x, value) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const down = (value: number): string =>
    (top + HEIGHT - BOTTOM - Math.min(1, share(y, value)) * (HEIGHT - TOP - BOTTOM)).toFixed(1);
  const parts = [`<text x="${LEFT}" y="${top + 20}" font-weight="bold">${escape(title)}</text>`];
  for (const { at, text } of y.marks) {
    parts.push(
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${down(at)}" y2="${down(at)}" stroke="#ddd"/>`,
      `<text x="${LEFT - 6}" y="${down(at)}" dy="4" text-anchor="end">${escape(text)}</text>`,
    );
  }
  for (const { at, text } of x.marks) {
    parts.push(
      `<text x="${across(at)}" y="${top + HEIGHT - 8}" text-anchor="middle" fill="#666">${escape(text)}</text>`,
    );
  }
  lines.forEach(({ name, points, dots = false }, index) => {
    const colour = COLOURS[index % COLOURS.length] ?? "#000";
    const seen = points.filter(([, value]) => Number.isFinite(value));
    const path = seen.map(([at, value]) => `${across(at)},${down(value)}`).join(" ");
    parts.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/>`);
    if (dots) {
      for (const [at, value] of seen) {
        parts.push(`<circle cx="${across(at)}" cy="${down(value)}" r="3" fill="${colour}"/>`);
      }
    }
    parts.push(
      `<text x="${WIDTH - RIGHT + 8}" y="${top + TOP + 8 + index * 16}" fill="${colour}">${escape(name)}</text>`,
    );
  });
  return parts.join("\n");
}

/** Charts below one another as an SVG drawing. */
export function picture(head: string, charts: readonly Chart[]): string {
  const height = 40 + charts.length * HEIGHT;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">
<rect width="100%" height="100%" fill="#fff"/>
<text x="${LEFT}" y="26" font-size="15">${escape(head)}</text>
${charts.map((chart, index) => draw(chart, 40 + index * HEIGHT)).join("\n")}
</svg>
`;
}
