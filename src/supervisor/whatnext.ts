import type { Stack } from "./stack.ts";
import type { Terminal } from "./terminal.ts";

/** Where everything is, and lines to try that work as they stand. */
export function whatNext(terminal: Terminal, stack: Stack): void {
  const row = (what: string, where: string): void => terminal.line(`  ${what.padEnd(10)} ${where}`);
  const { url, keys } = stack;
  terminal.line(`\n${terminal.bold("Open")}`);
  row("GraphiQL", `${url}/graphql#token=${keys.participant}`);
  row("", terminal.dim("signed in as a participant; the tabs hold ready-made operations"));
  row("REST", `${url}/openapi.json`);
  row("health", `${url}/readyz`);
  row("metrics", `${url}/metrics`);
  row("logs", `${stack.dataFolder}/logs/`);
  terminal.line(`\n${terminal.bold("Try")} ${terminal.dim("(in another terminal)")}`);
  const lines = [
    "npm run docket -- submit examples/problems/hello/submissions/accepted/hello.py --problem hello --watch",
    "npm run docket -- executors",
    `curl -s ${url}/submissions -H 'Authorization: Bearer ${keys.participant}' -H 'Content-Type: application/json' \\`,
    `  -d '{"problem":"hello","language":"python","source":"print(\\"Hello World!\\")"}'`,
  ];
  for (const line of lines) terminal.line(`  ${line}`);
  terminal.line(`\n${terminal.dim("Ctrl-C stops everything; data and keys stay for the next start.")}`);
}
