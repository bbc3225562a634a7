import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { ensureTestPackages } from "./testpackages.ts";
import { REPORT_FILE, type TestReport } from "./testreport.ts";

/**
 * npm test: every suite on real parts. The last line is `N passed, N failed` (and `, N skipped`), alone; the exit
 * code is 0 only when something passed and nothing failed. Arguments go to vitest: npm test -- test/server.
 *
 * What failed is run once more, alone: a machine that was too busy for a moment is told from a fault. What passes only
 * then is named above the last line, for somebody to look at. More than a few files are a fault whatever comes then.
 */

const ROOT = join(import.meta.dirname, "..");

/** Files that are run again at most. */
const AGAIN_AT_MOST = 4;

/** A report that is missing: the run itself broke. */
async function reportIn(file: string): Promise<TestReport> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  return text === undefined ? { suites: [], broken: true } : (JSON.parse(text) as TestReport);
}

/** What broke outside of every test counts as one failure, as does a suite without a failed test that failed. */
function countsOf({ suites, broken }: TestReport) {
  const count = (state: string): number =>
    suites.reduce((sum, { tests }) => sum + tests.filter((test) => test.state === state).length, 0);
  const [passed, failed] = [count("passed"), count("failed")];
  const all = suites.reduce((sum, { tests }) => sum + tests.length, 0);
  const untold = suites.filter(
    (suite) => suite.failed && suite.tests.every(({ state }) => state !== "failed"),
  );
  return { passed, failed: failed + untold.length + (broken ? 1 : 0), skipped: all - passed - failed };
}

async function runVitest(args: readonly string[], reportFile: string): Promise<number> {
  const vitest = spawn(
    process.execPath,
    [
      join(ROOT, "node_modules/vitest/vitest.mjs"),
      "run",
      "--reporter=default",
      `--reporter=${join(import.meta.dirname, "testreport.ts")}`,
      ...args,
    ],
    { cwd: ROOT, stdio: "inherit", env: { ...process.env, [REPORT_FILE]: reportFile } },
  );
  // The terminal's Ctrl-C reaches vitest by itself; a SIGTERM is handed on.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => vitest.kill("SIGTERM"));
  return await new Promise((resolve) => vitest.once("close", (code) => resolve(code ?? 1)));
}

async function run(args: readonly string[]): Promise<TestReport> {
  const folder = await mkdtemp(join(tmpdir(), "docket-report-"));
  try {
    const file = join(folder, "report.json");
    const exitCode = await runVitest(args, file);
    const report = await reportIn(file);
    const explained = exitCode === 0 || report.suites.some(({ failed }) => failed);
    return explained ? report : { ...report, broken: true };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs failed files once more and puts what they give then in their place. */
async function settle(first: TestReport): Promise<TestReport> {
  const failed = first.suites.filter((suite) => suite.failed);
  if (first.broken || failed.length === 0 || failed.length > AGAIN_AT_MOST) return first;
  process.stdout.write(`\nOnce more, alone: ${failed.map(({ file }) => relative(ROOT, file)).join(", ")}\n`);
  const again = await run(["--maxWorkers=1", ...failed.map(({ file }) => file)]);
  for (const { name, state } of failed.flatMap((suite) => suite.tests))
    if (state === "failed") process.stdout.write(`failed at first: ${name}\n`);
  return {
    suites: [...first.suites.filter((suite) => !suite.failed), ...again.suites],
    broken: again.broken,
  };
}

ensureTestPackages(process.env);
const args = process.argv.slice(2);
const first = await run(args);
const { passed, failed, skipped } = countsOf(args.length === 0 ? await settle(first) : first);
process.stdout.write(`${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
