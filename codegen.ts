import { readFile, writeFile } from "node:fs/promises";
import { lexicographicSortSchema, printSchema } from "graphql";
import { schema } from "./src/server/graphql/schema.ts";
import { ERRORS } from "./src/shared/errors.ts";
import { LIMIT_DEFINITIONS, limitVariable } from "./src/shared/limits.ts";

/**
 * `npm run codegen` prints what is derived from the code: the schema and two tables of the documentation.
 * `npm run codegen -- --check` writes nothing and fails when a file is out of date.
 */

const row = (...cells: readonly string[]): string => `| ${cells.join(" | ")} |`;

function limitsPage(): string {
  const rows = Object.entries(LIMIT_DEFINITIONS).map(([name, { unit, default: value, doc }]) =>
    row(`\`${name}\``, `\`${limitVariable(name)}\``, String(value), unit, doc),
  );
  return [
    "# Limits",
    "",
    "Printed by `npm run codegen` from src/shared/limits.ts. Each limit is set by its environment variable, a whole number above 0 in the unit named here.",
    "",
    row("limit", "variable", "default", "unit", "what it bounds"),
    row("---", "---", "---:", "---", "---"),
    ...rows,
    "",
  ].join("\n");
}

function errorsPage(): string {
  const rows = Object.entries(ERRORS).map(([code, { type, httpStatus, doc, ...more }]) =>
    row(`\`${code}\``, `\`${type}\``, String(httpStatus), "retryable" in more ? "yes" : "no", doc),
  );
  return [
    "# Errors",
    "",
    "Printed by `npm run codegen` from src/shared/errors.ts. A code is the same everywhere: `code` of a member of a GraphQL result union (of the type named here), `extensions.code` of a GraphQL error, `code` of a REST problem document (RFC 9457). Retryable ones say after how long: `retryAfterMs`, and `Retry-After` in HTTP.",
    "",
    row("code", "GraphQL type", "HTTP status", "retryable", "what it means and what to do"),
    row("---", "---", "---:", "---", "---"),
    ...rows,
    "",
  ].join("\n");
}

const files: Readonly<Record<string, string>> = {
  "schema/schema.graphql": `${printSchema(lexicographicSortSchema(schema))}\n`,
  "docs/limits.md": limitsPage(),
  "docs/errors.md": errorsPage(),
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
