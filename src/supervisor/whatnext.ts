import type { Output } from "../cli/output.ts";
import type { Stack } from "./stack.ts";

/** Where everything is, and lines to try that work as they stand. */
export function whatNext(out: Output, stack: Stack): void {
  const row = (what: string, where: string): void => out.line(`  ${what.padEnd(10)} ${where}`);
  const { url, keys } = stack;
  out.line(`\n${out.bold("Open")}`);
  row("GraphiQL", `${url}/graphql#token=${keys.participant}`);
  row("", out.dim("signed in as a participant; the tabs hold ready-made operations"));
  row("REST", `${url}/openapi.json`);
  row("health", `${url}/readyz`);
  row("metrics", `${url}/metrics`);
  row("logs", `${stack.dataFolder}/logs/`);
  out.line(`\n${out.bold("Try")} ${out.dim("(in another terminal)")}`);
  const lines = [
    "npm run docket -- submit examples/problems/hello/submissions/accepted/hello.py --problem hello --watch",
    "npm run docket -- executors",
    `curl -s ${url}/submissions -H 'Authorization: Bearer ${keys.participant}' -H 'Content-Type: application/json' \\`,
    `  -d '{"problem":"hello","language":"python","source":"print(\\"Hello World!\\")"}'`,
  ];
  for (const line of lines) out.line(`  ${line}`);
  out.line(`\n${out.dim("Ctrl-C stops everything; data and keys stay for the next start.")}`);
}
