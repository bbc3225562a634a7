import { join } from "node:path";
import { createOutput } from "../cli/output.ts";
import { EXIT } from "../shared/lifecycle.ts";
import { ROOT } from "./checkout.ts";
import { secondsSince } from "./elapsed.ts";
import { explain } from "./explain.ts";
import { readPools } from "./pools.ts";
import { showProgress } from "./progress.ts";
import { readSettings } from "./settings.ts";
import { showExamples } from "./showexamples.ts";
import { startStack } from "./stack.ts";
import { removeStackFile, writeStackFile } from "./stackfile.ts";
import { watchForStop } from "./stopping.ts";
import { whatNext } from "./whatnext.ts";

/**
 * `npm start` (start), `npm run demo` (demo) and `npm run cluster` (cluster: three brokers, three database nodes, two
 * servers): the whole of Docket on this machine.
 */

const DEFAULT_PORT = 4_000;
const out = createOutput(process.stdout, process.env);

const FOLDERS = { start: "data", demo: "demo", cluster: "cluster" };
type Mode = keyof typeof FOLDERS;

async function main(mode: Mode): Promise<number> {
  const begun = performance.now();
  const settings = readSettings(process.env);
  const pools = await readPools(settings.DOCKET_CONFIG);
  const stop = watchForStop(() => out.line(`\n${out.dim("Stopping; once more forces it.")}`));
  out.line(`${out.bold("Docket")} starts:`);
  const progress = showProgress(out);
  const stack = await startStack({
    dataFolder: settings.DOCKET_DATA ?? join(ROOT, ".docket", FOLDERS[mode]),
    host: settings.DOCKET_HOST,
    port: settings.DOCKET_PORT ?? (mode === "demo" ? 0 : DEFAULT_PORT),
    pools,
    ...(mode === "cluster" ? { cluster: true, servers: 2 } : {}),
    replicas: settings.DOCKET_REPLICAS,
    topologyPrefix: settings.DOCKET_TOPOLOGY_PREFIX,
    mongodbUrl: settings.MONGODB_URL,
    database: settings.MONGODB_DATABASE,
    natsUrl: settings.NATS_URL,
    natsUser: settings.NATS_USER,
    natsPassword: settings.NATS_PASSWORD,
    graceMs: settings.DOCKET_GRACE_MS,
    env: process.env,
    onEvent: progress.onEvent,
    signal: stop.signal,
  });
  progress.done();
  try {
    const shown = showExamples(stack, out);
    // A Ctrl-C in the middle of the show ends it, whatever it was waiting for.
    const misses = await Promise.race([shown, stop.asked.then(() => undefined)]);
    shown.catch(() => {});
    if (misses === undefined) return EXIT.failed;
    if (mode === "demo") return misses === 0 ? EXIT.ok : EXIT.failed;
    await writeStackFile(stack, process.env);
    out.line(`\nUp after ${secondsSince(begun)}.`);
    if (mode === "cluster") {
      out.line(`Servers  ${stack.urls.join(" ")}\nMongoDB  ${stack.mongodbUrl}\nNATS     ${stack.nats.url}`);
    }
    const scaled = stack.autoscale();
    if (scaled.length > 0) out.line(`Pools that grow and shrink by themselves: ${scaled.join(", ")}.`);
    whatNext(out, stack);
    await stop.asked;
    return EXIT.ok;
  } finally {
    if (mode !== "demo") await removeStackFile(process.env);
    await stack.stop();
  }
}

const mode = process.argv[2];
if (mode !== "start" && mode !== "demo" && mode !== "cluster") {
  process.stderr.write("Usage: npm start, npm run demo, or npm run cluster\n");
  process.exit(EXIT.config);
}
try {
  process.exitCode = await main(mode);
} catch (error) {
  const { message, code } = explain(error);
  process.stderr.write(`\n${out.bad("Docket did not start, or not as it should.")}\n${message}\n`);
  process.exitCode = code;
}
// Sockets that a broken show left open must not keep a stopped stack's supervisor.
process.exit();
