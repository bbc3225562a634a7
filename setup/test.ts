import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";

/**
 * npm test: every suite on real parts. The last line is `N passed, N failed` (and `, N skipped`), alone; the exit
 * code is 0 only when something passed and nothing failed. Arguments go to vitest: npm test -- test/server.
 */

const ROOT = join(import.meta.dirname, "..");
const BROWSERS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Browser tests drive a real one; said plainly when it cannot be had. */
function ensureBrowser(): void {
  const given = process.env["DOCKET_BROWSER"];
  if ((given !== undefined && existsSync(given)) || BROWSERS.some((path) => existsSync(path))) return;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    process.stderr.write(
      "No chromium here: the browser tests will say so. Install it: apt-get install chromium\n",
    );
    return;
  }
  process.stderr.write("Installing chromium for the browser tests (apt-get, about a minute) ...\n");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  for (const args of [
    ["update", "-qq"],
    ["install", "-y", "-qq", "--no-install-recommends", "chromium"],
  ]) {
    const done = spawnSync("apt-get", args, { env, stdio: ["ignore", "ignore", "inherit"] });
    if (done.status !== 0) {
      process.stderr.write(`apt-get ${args.join(" ")} failed; the browser tests will say so.\n`);
      return;
    }
  }
}

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

ensureBrowser();
const folder = await mkdtemp(join(tmpdir(), "docket-report-"));
const reportFile = join(folder, "report.json");
const exitCode = await runVitest(process.argv.slice(2), reportFile);
const { passed, failed, skipped } = await countsOf(reportFile, exitCode);
await rm(folder, { recursive: true, force: true });
process.stdout.write(`${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}\n`);
process.exitCode = exitCode === 0 && failed === 0 && passed > 0 ? 0 : 1;
