import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fuzz } from "./run.ts";

/** `npm run fuzz -- --inputs 100000 [--seed X] [--only NUMBER]`; docs/operators.md says what it counts. */
const { values } = parseArgs({
  options: {
    inputs: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    folder: { type: "string", default: join(tmpdir(), "docket-fuzz") },
  },
});
const report = await fuzz({
  inputs: Number(values.inputs),
  seed: Number(values.seed),
  only: values.only === undefined ? undefined : Number(values.only),
  folder: values.folder,
  tell: (line) => console.error(line),
});
if (report.crashes + report.hangs + report.leaks > 0) {
  console.error(`What was found is in ${values.folder}.`);
  process.exitCode = 1;
}
console.log(JSON.stringify(report));
