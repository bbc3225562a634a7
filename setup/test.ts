import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { z } from "zod";
import { ensureTestPackages } from "./testpackages.ts";

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

const Test = z.object({ fullName: z.string(), status: z.string() });
const Report = z.object({
  testResults: z.array(z.object({ name: z.string(), status: z.string(), assertionResults: z.array(Test) })),
});
type Suites = z.infer<typeof Report>["testResults"];

/** Undefined when there is no report: the run itself broke. */
async function suitesOf(file: string): Promise<Suites | undefined> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  return text === undefined ? undefined : Report.parse(JSON.parse(text)).testResults;
}

const isFailed = ({ status }: { readonly status: string }): boolean => status === "failed";

/** A suite that broke before its first test counts as one failure. */
function countsOf(suites: Suites): {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
} {
  const tests = suites.flatMap((suite) => suite.assertionResults);
  const passed = tests.filter(({ status }) => status === "passed").length;
  const failed = tests.filter(isFailed).length;
  const broken = suites.filter((suite) => isFailed(suite) && suite.assertionResults.length === 0).length;
  return { passed, failed: failed + broken, skipped: tests.length - passed - failed };
}

async function runVitest(args: readonly string[], reportFile: string): Promise<number> {
  const vitest = spawn(
    process.execPath,
    [
      join(ROOT, "node_modules/vitest/vitest.mjs"),
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${reportFile}`,
      ...args,
    ],
    { cwd: ROOT, stdio: "inherit" },
  );
  // The terminal's Ctrl-C reaches vitest by itself; a SIGTERM is handed on.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => vitest.kill("SIGTERM"));
  return await new Promise((resolve) => vitest.once("close", (code) => resolve(code ?? 1)));
}

interface Run {
  readonly suites: Suites;
  readonly exitCode: number;
}

async function run(args: readonly string[]): Promise<Run> {
  const folder = await mkdtemp(join(tmpdir(), "docket-report-"));
  try {
    const file = join(folder, "report.json");
    const exitCode = await runVitest(args, file);
    const suites = await suitesOf(file);
    // Something broke outside of every test.
    const unexplained = suites === undefined || (exitCode !== 0 && !suites.some(isFailed));
    const broken = { name: "the run itself", status: "failed", assertionResults: [] };
    return { suites: [...(suites ?? []), ...(unexplained ? [broken] : [])], exitCode };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Runs failed files once more and puts what they give then in their place. */
async function settle(first: Run): Promise<Run> {
  const failed = first.suites.filter(isFailed);
  if (failed.length === 0 || failed.length > AGAIN_AT_MOST) return first;
  if (!failed.every(({ name }) => existsSync(name))) return first;
  process.stdout.write(`\nOnce more, alone: ${failed.map(({ name }) => relative(ROOT, name)).join(", ")}\n`);
  const again = await run(["--maxWorkers=1", ...failed.map(({ name }) => name)]);
  for (const { fullName } of failed.flatMap((suite) => suite.assertionResults).filter(isFailed))
    process.stdout.write(`failed at first: ${fullName}\n`);
  return {
    suites: [...first.suites.filter((suite) => !isFailed(suite)), ...again.suites],
    exitCode: again.exitCode,
  };
}

ensureTestPackages(process.env);
const args = process.argv.slice(2);
const first = await run(args);
const { suites, exitCode } = args.length === 0 ? await settle(first) : first;
const { passed, failed, skipped } = countsOf(suites);
process.stdout.write(`${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}\n`);
process.exitCode = exitCode === 0 && failed === 0 && passed > 0 ? 0 : 1;
