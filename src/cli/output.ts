/** Where a command writes. Colours only on a terminal, none with NO_COLOR. */
export interface Output {
  line(text?: string): void;
  json(value: unknown): void;
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
}

export function createOutput(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Output {
  const colours = stream.isTTY && (env["NO_COLOR"] ?? "") === "";
  const painted = (code: number) => (text: string) => (colours ? `\u001B[${code}m${text}\u001B[0m` : text);
  return {
    line: (text = "") => void stream.write(`${text}\n`),
    json: (value) => void stream.write(`${JSON.stringify(value)}\n`),
    bold: painted(1),
    dim: painted(2),
    good: painted(32),
    bad: painted(31),
    warn: painted(33),
  };
}

/** Text of foreign origin (names, messages): control characters would move the terminal's cursor. */
export const plain = (text: string): string => text.replaceAll(/[^\P{Cc}\n\t]/gu, "\uFFFD");

/** Rows in columns, two spaces apart; `right` names columns of numbers. Each cell is padded before it is painted. */
export function table(
  rows: readonly (readonly string[])[],
  options: { right?: readonly number[]; paint?: (cell: string, row: number, column: number) => string } = {},
): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  return rows.map((row, rowIndex) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        const last = column === row.length - 1;
        const padded =
          options.right?.includes(column) === true ? cell.padStart(width) : last ? cell : cell.padEnd(width);
        return options.paint?.(padded, rowIndex, column) ?? padded;
      })
      .join("  ")
      .trimEnd(),
  );
}

export const milliseconds = (ms: number): string =>
  ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;

export const mebibytes = (kib: number): string => `${(kib / 1024).toFixed(1)} MiB`;
