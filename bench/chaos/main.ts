import { createWriteStream } from "node:fs";
import { parseArgs } from "node:util";
import { EXIT } from "../../src/shared/lifecycle.ts";
import { table } from "../figures.ts";
import { chaos } from "./chaos.ts";
import { holds } from "./report.ts";

/**
 * `npm run chaos`, see USAGE: submits, strikes by the seed's schedule, audits. The last line is the report as JSON (its
 * fields: report.ts); exit code 0 only when everything holds. `--log`: where to keep what all processes wrote.
 */

const USAGE =
  "Usage: npm run chaos -- --submissions N --kill-every SECONDS --seed X [--cluster] [--wipe-broker] [--minutes M] [--rate PER_SECOND] [--log FILE]";

const { values } = parseArgs({
  options: {
    submissions: { type: "string", default: "300" },
    "kill-every": { type: "string", default: "5" },
    seed: { type: "string", default: "1" },
    rate: { type: "string", default: "20" },
    minutes: { type: "string", default: "600" },
    cluster: { type: "boolean", default: false },
    "wipe-broker": { type: "boolean", default: false },
    log: { type: "string" },
  },
});
const number = (name: "submissions" | "kill-every" | "seed" | "rate" | "minutes"): number => {
  const value = Number(values[name]);
  if (Number.isFinite(value) && value > 0) return value;
  process.stderr.write(`--${name} must be a number above 0.\n${USAGE}\n`);
  return process.exit(EXIT.config);
};

const begun = performance.now();
const log = values.log === undefined ? undefined : createWriteStream(values.log);
const tell = (line: string): void => {
  const at = ((performance.now() - begun) / 1_000).toFixed(1).padStart(7);
  process.stderr.write(`${at}  ${line}\n`);
  log?.write(`${new Date().toISOString()} chaos: ${line}\n`);
};
const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => stopping.abort(new Error(`${signal}: stopped before its end`)));
}
const report = await chaos({
  signal: stopping.signal,
  submissions: Math.round(number("submissions")),
  everyMs: number("kill-every") * 1_000,
  seed: Math.round(number("seed")),
  perSecond: number("rate"),
  forMs: number("minutes") * 60_000,
  cluster: values.cluster,
  wipeBroker: values["wipe-broker"],
  tell,
  onLine: log && ((process, line) => void log.write(`${new Date().toISOString()} ${process}: ${line}\n`)),
}).catch((error: unknown) => {
  console.error(error);
  return process.exit(EXIT.failed);
});
const { troubles, strikes, verdicts, ...figures } = report;
const rows = Object.entries(figures).map(([name, value]) => [name, value]);
console.log(table([["what", "how many"], ...rows]));
console.log(`\nstrikes   ${JSON.stringify(strikes)}\nverdicts  ${JSON.stringify(verdicts)}`);
for (const trouble of troubles) console.log(trouble.slice(0, 2_000));
console.log(JSON.stringify({ ...figures, strikes, verdicts }));
process.exit(holds(report) ? EXIT.ok : EXIT.failed);
