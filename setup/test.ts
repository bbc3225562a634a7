import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { ensureTestPackages } from "./testpackages.ts";

/**
 * npm test: every suite on real parts. The last line is `N passed, N failed` (and `, N skipped`), alone; the exit
 * code is 0 only when something passed and nothing failed. Arguments go to vitest: npm test -- test/server.
 */

const ROOT = join(import.meta.dirname, "..");

const Report = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  numPendingTests: z.int(),
  numTodoTests: z.int(),
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.unknown()) })),
});

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A suite that broke before its first test counts as one failure, and so does a run without a report. */
async function countsOf(file: string, exitCode: number): Promise<Counts> {
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return { passed: 0, failed: 1, skipped: 0 };
  const report = Report.parse(JSON.parse(text));
  const brokenSuites = report.testResults.filter(
    (suite) => suite.status === "failed" && suite.assertionResults.length === 0,
  ).length;
  const failed = report.numFailedTests + brokenSuites;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && exitCode !== 0 ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
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

ensureTestPackages(process.env);
const folder = await mkdtemp(join(tmpdir(), "docket-report-"));
const reportFile = join(folder, "report.json");
const exitCode = await runVitest(process.argv.slice(2), reportFile);
const { passed, failed, skipped } = await countsOf(reportFile, exitCode);
await rm(folder, { recursive: true, force: true });
process.stdout.write(`${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}\n`);
process.exitCode = exitCode === 0 && failed === 0 && passed > 0 ? 0 : 1;
