import { execFile } from "node:child_process";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { withClient } from "../src/cli/connect.ts";
import { createOutput } from "../src/cli/output.ts";
import { verify } from "../src/cli/verify.ts";
import { problemtoolsSource, verifyproblemPath } from "../test/support/problemtools.ts";
import { machine, rounded, table } from "./figures.ts";

const run = promisify(execFile);

const MOST_OUTPUT_BYTES = 64 * 1024 * 1024;

interface Judged {
  readonly submissions: number;
  readonly seconds: number;
}

const EXAMPLES = ["hello", "different", "guess", "oddecho"];

/** Rows of its table of results are the submissions that it judged; the rest it could not compile. */
function countJudged(output: string): number {
  const at = output.indexOf("Submission results:");
  if (at < 0) return 0;
  const rows = output.slice(at).split("\n").slice(2);
  const end = rows.findIndex((row) => !/^ {3}\S/.test(row));
  return end < 0 ? rows.length : end;
}

async function byProblemtools(verifyproblem: string, directories: readonly string[]): Promise<Judged> {
  let submissions = 0;
  const startedAt = performance.now();
  for (const directory of directories) {
    const args = ["--parts", "submissions", "--", directory];
    const output = await run(verifyproblem, args, { maxBuffer: MOST_OUTPUT_BYTES }).then(
      ({ stdout }) => stdout,
      // Its exit code counts what it has to complain of, a missing compiler for one.
      (error: unknown) =>
        error instanceof Error && "stdout" in error ? String(error.stdout) : Promise.reject(error),
    );
    const judged = countJudged(output);
    if (judged === 0)
      throw new Error(`verifyproblem judged nothing of ${directory}:\n${output.slice(-2_000)}`);
    submissions += judged;
  }
  return { submissions, seconds: (performance.now() - startedAt) / 1_000 };
}

async function byDocket(directories: readonly string[]): Promise<Judged> {
  const notes = createOutput(process.stderr, process.env);
  const deps = { env: process.env, notes, signal: new AbortController().signal };
  return await withClient(deps, { ephemeral: true }, "jury", async (client) => {
    const startedAt = performance.now();
    const report = await verify({ client, out: notes }, { directories, signal: deps.signal });
    return {
      submissions: report.submissions - report.notOffered,
      seconds: (performance.now() - startedAt) / 1_000,
    };
  });
}

const perMinute = ({ submissions, seconds }: Judged): number => rounded((submissions / seconds) * 60);

/**
 * The same packages judged by Docket, through its queue and every test of each submission, and by problemtools'
 * `verifyproblem`, one after the other on one machine; installing either does not count. `directories`: problem
 * packages, by default the examples of problemtools.
 */
export async function packages(directories: readonly string[]): Promise<{
  submissionsPerMinute: { docket: number; problemtools: number; ratio: number };
}> {
  console.log(machine());
  console.error("Getting problemtools from PyPI, unless it is there …");
  const [source, verifyproblem] = [await problemtoolsSource(), await verifyproblemPath()];
  const judged =
    directories.length > 0 ? directories : EXAMPLES.map((name) => join(source, "examples", name));
  console.log(`Packages: ${judged.map((directory) => basename(directory)).join(", ")}`);
  const problemtools = await byProblemtools(verifyproblem, judged);
  const docket = await byDocket(judged);
  const row = (name: string, one: Judged) => [name, one.submissions, rounded(one.seconds), perMinute(one)];
  console.log(
    table([
      ["", "submissions", "seconds", "a minute"],
      row("Docket", docket),
      row("problemtools", problemtools),
    ]),
  );
  const ratio = rounded(perMinute(docket) / perMinute(problemtools), 2);
  return {
    submissionsPerMinute: { docket: perMinute(docket), problemtools: perMinute(problemtools), ratio },
  };
}
