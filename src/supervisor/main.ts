import { join } from "node:path";
import { EXIT } from "../shared/lifecycle.ts";
import { exampleFolders, examplePrograms, importExample } from "./examples.ts";
import { explain } from "./explain.ts";
import { offeredLanguages, type LanguageState } from "./fleet.ts";
import { ROOT } from "./checkout.ts";
import { judgeExamples } from "./judgeexamples.ts";
import { readPools } from "./pools.ts";
import { showProgress } from "./progress.ts";
import { readSettings } from "./settings.ts";
import { type Stack, startStack } from "./stack.ts";
import { removeStackFile, writeStackFile } from "./stackfile.ts";
import { watchForStop } from "./stopping.ts";
import { openTerminal, seconds, type Terminal } from "./terminal.ts";
import { whatNext } from "./whatnext.ts";

/** `npm start` (start) and `npm run demo` (demo): the whole of Docket on this machine. */

const DEFAULT_PORT = 4_000;
const terminal = openTerminal(process.stdout, process.env);

async function main(mode: "start" | "demo"): Promise<number> {
  const begun = performance.now();
  const settings = readSettings(process.env);
  const pools = await readPools(settings.DOCKET_CONFIG);
  const stop = watchForStop(() => terminal.line(`\n${terminal.dim("Stopping; once more forces it.")}`));
  terminal.line(`${terminal.bold("Docket")} starts:`);
  const progress = showProgress(terminal);
  const stack = await startStack({
    dataFolder: settings.DOCKET_DATA ?? join(ROOT, ".docket", mode === "start" ? "data" : "demo"),
    host: settings.DOCKET_HOST,
    port: settings.DOCKET_PORT ?? (mode === "start" ? DEFAULT_PORT : 0),
    pools,
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
    const shown = show(stack);
    // A Ctrl-C in the middle of the show ends it, whatever it was waiting for.
    const misses = await Promise.race([shown, stop.asked.then(() => undefined)]);
    shown.catch(() => {});
    if (misses === undefined) return EXIT.failed;
    if (mode === "demo") return misses === 0 ? EXIT.ok : EXIT.failed;
    await writeStackFile(stack);
    terminal.line(`\nUp after ${seconds(performance.now() - begun)}.`);
    whatNext(terminal, stack);
    await stop.asked;
    return EXIT.ok;
  } finally {
    if (mode === "start") await removeStackFile();
    await stack.stop();
  }
}

/** Imports the examples and judges one right and one wrong program per offered language; counts the misses. */
async function show(stack: Stack): Promise<number> {
  const jury = { url: stack.url, token: stack.keys.jury };
  const folders = await exampleFolders(join(ROOT, "examples/problems"));
  terminal.line(`\n${terminal.bold("Example problems")}, imported through the API:`);
  for (const folder of folders) {
    const problem = await importExample(jury, folder);
    terminal.line(
      `  ${problem.id.padEnd(20)} ${problem.name} ${terminal.dim(`(${problem.testCount} tests)`)}`,
    );
  }
  const languages = await offeredLanguages(jury, stack.executors);
  sayLanguages(terminal, languages);
  const offered = new Set(languages.filter((one) => one.offered).map((one) => one.language.id));
  const programs = (await examplePrograms(folders)).filter((program) => offered.has(program.language));
  terminal.line(
    `\n${terminal.bold("One right and one wrong program per language")}, as the verdicts come in:`,
  );
  const api = { url: stack.url, token: stack.keys.participant };
  const misses = await judgeExamples({ api, terminal }, programs);
  const good = programs.length - misses.length;
  terminal.line(`\n  ${good} of ${programs.length} verdicts as expected.`);
  if (offered.size === 0) terminal.line(terminal.bad("  No language is offered: nothing can be judged."));
  return misses.length + (programs.length === 0 ? 1 : 0);
}

function sayLanguages(to: Terminal, languages: readonly LanguageState[]): void {
  to.line(`\n${to.bold("Languages")}:`);
  for (const { language, offered, versions, reasons } of languages) {
    const text = offered ? (versions[0] ?? "") : to.bad(`not offered: ${reasons.join("; ")}`);
    to.line(`  ${language.name.padEnd(20)} ${text}`);
  }
}

const mode = process.argv[2];
if (mode !== "start" && mode !== "demo") {
  process.stderr.write("Usage: npm start, or npm run demo\n");
  process.exit(EXIT.config);
}
try {
  process.exitCode = await main(mode);
} catch (error) {
  const { message, code } = explain(error);
  process.stderr.write(`\n${terminal.bad("Docket did not start.")}\n${message}\n`);
  process.exitCode = code;
}
// Sockets that a broken show left open must not keep a stopped stack's supervisor.
process.exit();
