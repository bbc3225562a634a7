import { readFile, writeFile } from "node:fs/promises";
import { lexicographicSortSchema, printSchema } from "graphql";
import { printedManifests } from "./setup/kubernetes/print.ts";
import { schema } from "./src/server/graphql/schema.ts";
import { ERRORS, FAULTS } from "./src/shared/errors.ts";
import { BOUNDS, LIMIT_DEFINITIONS, limitVariable } from "./src/shared/limits.ts";

/**
 * `npm run codegen` prints what is derived from the code: the schema, two tables of the documentation, and the
 * queues' side of the Kubernetes manifests.
 * `npm run codegen -- --check` writes nothing and fails when a file is out of date.
 */

interface Column {
  readonly title: string;
  readonly right?: true;
}

/** A Markdown table as the formatter leaves it: cells padded to the width of their column. */
function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const widths = columns.map(({ title }, at) =>
    Math.max(3, title.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const pad = (text: string, at: number): string =>
    columns[at]?.right === true ? text.padStart(widths[at] ?? 0) : text.padEnd(widths[at] ?? 0);
  const rule = columns.map(({ right }, at) =>
    right === true ? `${"-".repeat((widths[at] ?? 1) - 1)}:` : "-".repeat(widths[at] ?? 0),
  );
  return [
    line(columns.map(({ title }, at) => pad(title, at))),
    line(rule),
    ...rows.map((row) => line(row.map(pad))),
  ].join("\n");
}

function limitsPage(): string {
  const rows = Object.entries(LIMIT_DEFINITIONS).map(([name, { unit, default: value, doc }]) => [
    `\`${name}\``,
    `\`${limitVariable(name)}\``,
    String(value),
    unit,
    doc,
  ]);
  const columns: Column[] = [
    { title: "limit" },
    { title: "variable" },
    { title: "default", right: true },
    { title: "unit" },
    { title: "what it bounds" },
  ];
  return `# Limits

Printed by \`npm run codegen\` from src/shared/limits.ts. Each limit is set by its environment variable, a whole number above 0 in the unit named here.

${table(columns, rows)}

\`docket_refused_total{limit}\` counts who was turned away by a limit on connections, requests, imports, sizes, rates, unfinished submissions and waits; \`docket_executor_cut_total{limit}\` how often a judging kept less than was said, \`docket_executor_*_cache_evictions_total\` what made room in a cache on disk.

## Fixed bounds

What keeps memory and documents small whatever comes, and cannot be set. \`docket_evictions_total{memory}\` counts what had to make room in those that remember something.

${table(
  [columns[0], columns[2], columns[3], columns[4]].filter((column) => column !== undefined),
  Object.entries(BOUNDS).map(([name, { unit, value, doc }]) => [`\`${name}\``, String(value), unit, doc]),
)}
`;
}

function errorsPage(): string {
  const faults = Object.entries(FAULTS).map(([code, doc]) => [`\`${code}\``, doc]);
  const rows = Object.entries(ERRORS).map(([code, { type, httpStatus, doc, ...more }]) => [
    `\`${code}\``,
    `\`${type}\``,
    String(httpStatus),
    "retryable" in more ? "yes" : "no",
    doc,
  ]);
  const columns: Column[] = [
    { title: "code" },
    { title: "GraphQL type" },
    { title: "HTTP status", right: true },
    { title: "retryable" },
    { title: "what it means and what to do" },
  ];
  return `# Errors

Printed by \`npm run codegen\` from src/shared/errors.ts. A code is the same everywhere: \`code\` of a member of a GraphQL result union (of the type named here), \`extensions.code\` of a GraphQL error, \`code\` of a REST problem document (RFC 9457). Retryable ones say after how long: \`retryAfterMs\`, and \`Retry-After\` in HTTP.

${table(columns, rows)}

## Faults

Why a judgement could not be judged: \`faultCode\` of a try and \`code\` of a dead letter, for the jury. A fault is never a verdict.

${table([{ title: "code" }, { title: "what it means" }], faults)}
`;
}

const files: Readonly<Record<string, string>> = {
  "schema/schema.graphql": `${printSchema(lexicographicSortSchema(schema))}\n`,
  "docs/limits.md": limitsPage(),
  "docs/errors.md": errorsPage(),
  ...printedManifests(),
};

const check = process.argv.includes("--check");
let stale = 0;
for (const [path, content] of Object.entries(files)) {
  const url = new URL(path, import.meta.url);
  const before = await readFile(url, "utf8").catch(() => undefined);
  if (before === content) continue;
  stale += 1;
  if (check) console.error(`${path} is out of date: run npm run codegen`);
  else {
    await writeFile(url, content);
    console.log(`wrote ${path}`);
  }
}
if (check && stale > 0) process.exitCode = 1;
