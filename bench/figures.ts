import { readFileSync } from "node:fs";
import { arch, availableParallelism, cpus, totalmem } from "node:os";

/** The value that `share` (0 to 1) of the samples do not exceed; NaN for none. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export const median = (samples: readonly number[]): number => quantile(samples, 0.5);

/** Rounded for print and JSON. */
export const rounded = (value: number, digits = 1): number => Number(value.toFixed(digits));

/** Rows as an aligned table, the first one the head. */
export function table(rows: readonly (readonly (string | number)[])[]): string {
  const cells = rows.map((row) => row.map(String));
  const widths = (cells[0] ?? []).map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ");
  const [head = [], ...body] = cells;
  return [line(head), widths.map((width) => "─".repeat(width)).join("  "), ...body.map(line)].join("\n");
}

/** What the figures depend on: machine and load by others at the start. */
export function machine(): string {
  const load = readFileSync("/proc/loadavg", "utf8").split(" ")[0];
  const memory = Math.round(totalmem() / 2 ** 30);
  return `${cpus()[0]?.model ?? "unknown CPU"}, ${availableParallelism()} cores, ${memory} GiB, ${arch()}, Node ${process.versions.node}, load average ${load} at the start`;
}
