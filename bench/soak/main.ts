import { createWriteStream } from "node:fs";
import { appendFile, rm, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { EXIT } from "../../src/shared/lifecycle.ts";
import { heading, rowOf, rowsOf } from "./print.ts";
import { picture } from "./picture.ts";
import { soak } from "./soak.ts";

/**
 * `npm run soak`, see USAGE: 80 % of what a small stack can do, and what grows meanwhile. The last line is the report
 * as JSON; exit code 0 when nothing failed and no process grew by more than 5 %.
 */

const USAGE =
  "Usage: npm run soak -- --minutes M [--seed X] [--capacity-seconds S] [--picture FILE.svg] [--samples FILE.jsonl] [--log FILE]";

/** The most that a process may have grown. */
const BOUND = 0.05;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    "capacity-seconds": { type: "string", default: "60" },
    picture: { type: "string", default: "soak.svg" },
    samples: { type: "string" },
    log: { type: "string" },
  },
});
const number = (name: "minutes" | "seed" | "capacity-seconds"): number => {
  const value = Number(values[name]);
  if (Number.isFinite(value) && value > 0) return value;
  process.stderr.write(`--${name} must be a number above 0.\n${USAGE}\n`);
  return process.exit(EXIT.config);
};

const log = values.log === undefined ? undefined : createWriteStream(values.log);
const tell = (line: string): void => {
  process.stderr.write(`${line}\n`);
  log?.write(`${new Date().toISOString()} soak: ${line}\n`);
};
const stopping = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.once(signal, () => stopping.abort(new Error(`${signal}: stopped before its end`)));
}
if (values.samples !== undefined) await rm(values.samples, { force: true });
let head = false;
const { report, samples } = await soak({
  minutes: number("minutes"),
  capacityMs: number("capacity-seconds") * 1_000,
  seed: Math.round(number("seed")),
  signal: stopping.signal,
  tell,
  onSample: (sample) => {
    if (!head) tell(heading(sample));
    head = true;
    tell(rowOf(sample));
    if (values.samples !== undefined) void appendFile(values.samples, `${JSON.stringify(sample)}\n`);
  },
  onLine: log && ((name, line) => void log.write(`${new Date().toISOString()} ${name}: ${line}\n`)),
}).catch((error: unknown) => {
  console.error(error);
  return process.exit(EXIT.failed);
});
await writeFile(values.picture, picture(samples, report));
console.log(rowsOf(samples, report.minutes));
console.log(`\nThe picture is ${values.picture}.`);
console.log(JSON.stringify(report));
process.exitCode = report.failed === 0 && report.rssGrowth <= BOUND ? EXIT.ok : EXIT.failed;
