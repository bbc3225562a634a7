import type { Findings } from "./finding.ts";
import { MOST_TIME_SECONDS } from "./packagelimits.ts";
import type { PackageSettings } from "./settings.ts";
import { FALLBACK_MS, MEASURING_MS } from "./timing.ts";
import { type PackageTree, readText } from "./tree.ts";

/** Seconds out of a side file; undefined, with a finding, when it is no usable number. */
function seconds(text: string, file: string, line: number, findings: Findings): number | undefined {
  const value = Number(text.trim().replaceAll(/^["']|["']$/g, ""));
  if (text.trim() !== "" && Number.isFinite(value) && value > 0 && value <= MOST_TIME_SECONDS) return value;
  findings.error(file, `the time limit is ${JSON.stringify(text.trim())}`, {
    line,
    expected: `a number of seconds above 0 and at most ${MOST_TIME_SECONDS}`,
  });
  return undefined;
}

/**
 * The problem's time limit, milliseconds of CPU time: `limits.time_limit`, else `.timelimit` (Kattis), else
 * `timelimit` of domjudge-problem.ini (DOMjudge), else what is to do meanwhile, and `given` is false.
 */
export async function readTimeLimit(
  tree: PackageTree,
  settings: PackageSettings,
  timedPrograms: number,
  findings: Findings,
): Promise<{ readonly ms: number; readonly given: boolean }> {
  const found: { ms: number; file: string }[] = [];
  if (settings.timeMs !== undefined) found.push({ ms: settings.timeMs, file: "problem.yaml" });
  const plain = await readText(tree, ".timelimit", findings);
  if (plain !== undefined) {
    const value = seconds(plain, ".timelimit", 1, findings);
    if (value !== undefined) found.push({ ms: Math.round(value * 1000), file: ".timelimit" });
  }
  const ini = await readText(tree, "domjudge-problem.ini", findings);
  for (const [index, line] of (ini ?? "").split("\n").entries()) {
    const text = /^\s*timelimit\s*=(.*)$/i.exec(line)?.[1];
    const value = text === undefined ? undefined : seconds(text, "domjudge-problem.ini", index + 1, findings);
    if (value !== undefined) found.push({ ms: Math.round(value * 1000), file: "domjudge-problem.ini" });
  }
  const [first, ...rest] = found;
  if (first === undefined) {
    const step = settings.timeResolutionMs;
    const fallback = Math.ceil(FALLBACK_MS / step) * step;
    const message =
      timedPrograms > 0
        ? `no time limit is given: it is inferred from what ${timedPrograms} accepted submissions need`
        : `no time limit is given: ${fallback / 1000} s is taken`;
    findings.warn("problem.yaml", message, {
      expected: "limits.time_limit, or a .timelimit file (legacy)",
    });
    return { ms: timedPrograms > 0 ? MEASURING_MS : fallback, given: false };
  }
  for (const other of rest.filter((one) => one.ms !== first.ms)) {
    findings.warn(
      other.file,
      `says ${other.ms / 1000} s, but ${first.file} says ${first.ms / 1000} s, which counts`,
    );
  }
  return { ms: Math.max(1, first.ms), given: true };
}
