import { VERDICT_NAMES } from "../shared/verdict.ts";
import type { FindingView, SubmissionView, TestView } from "./operations.ts";
import { mebibytes, milliseconds, type Output, plain } from "./output.ts";

const verdictText = (out: Output, verdict: string, width = 0): string =>
  verdict === "AC" ? out.good(verdict.padEnd(width)) : out.bad(verdict.padEnd(width));

/** Wide enough for most names, so that columns stand although tests come one by one. */
const NAME_WIDTH = 24;

function testLine(out: Output, test: TestView, number: number, view: SubmissionView): string {
  const digits = String(view.testsTotal).length;
  const nameWidth = Math.max(NAME_WIDTH, ...view.tests.map(({ name }) => name.length));
  const numbers = `${milliseconds(test.cpuMs).padStart(8)}  ${mebibytes(test.memoryKiB).padStart(10)}`;
  const message = plain(test.teamMessage ?? test.judgeMessage ?? "").split("\n")[0] ?? "";
  const said = message === "" ? "" : `  ${out.dim(message.slice(0, 100))}`;
  return `  ${String(number).padStart(digits)}  ${plain(test.name).padEnd(nameWidth)}  ${verdictText(out, test.verdict, 3)}  ${numbers}${said}`;
}

/** The closing line: what came out. */
export function outcomeLines(out: Output, view: SubmissionView): string[] {
  if (view.state === "FAILED") {
    const why = view.judgement.deadLetter?.reason ?? "the jury can see why";
    return [out.bad(`Not judged because of trouble on our side: ${plain(why)}`)];
  }
  if (view.state === "CANCELLED") return [out.warn("Cancelled")];
  if (view.verdict === null)
    return [`${view.state.toLowerCase()}, ${view.testsDone} of ${view.testsTotal} tests so far`];
  const name = VERDICT_NAMES[view.verdict];
  const painted = view.verdict === "AC" ? out.good(out.bold(name)) : out.bad(out.bold(name));
  const tests = view.testsTotal === 0 ? "" : `  ${view.testsDone} of ${view.testsTotal} tests`;
  const cost =
    view.cpuMs === null || view.memoryKiB === null
      ? ""
      : `, at most ${milliseconds(view.cpuMs)} and ${mebibytes(view.memoryKiB)}`;
  const compiler = view.verdict === "CE" ? (view.compile?.message ?? "") : "";
  const score = view.score === null ? "" : `  score ${view.score}`;
  return [
    `${painted}${score}${out.dim(`${tests}${view.verdict === "CE" ? "" : cost}`)}`,
    ...(compiler === "" ? [] : [plain(compiler).trimEnd()]),
  ];
}

/** Shows a submission's way: each call prints what is new since the last. */
export function createProgress(out: Output): (view: SubmissionView) => void {
  let shownState = "";
  let shownCompile = false;
  let shownTests = 0;
  return (view) => {
    if (
      view.state !== shownState &&
      (view.state === "PENDING" || view.state === "QUEUED" || view.state === "RUNNING")
    ) {
      out.line(out.dim(`  ${view.state.toLowerCase()}`));
    }
    shownState = view.state;
    if (view.compile !== null && !shownCompile) {
      shownCompile = true;
      const how = view.compile.cached
        ? "compiled before"
        : `compiled in ${milliseconds(view.compile.wallMs)}`;
      if (view.compile.ok) out.line(out.dim(`  ${how}`));
    }
    // A job given to another executor starts again from its first test.
    if (view.tests.length < shownTests) shownTests = 0;
    for (; shownTests < view.tests.length; shownTests++) {
      const test = view.tests[shownTests];
      if (test !== undefined) out.line(testLine(out, test, shownTests + 1, view));
    }
  };
}

export function findingLine(out: Output, finding: FindingView): string {
  const where =
    finding.file === "" ? "" : `${finding.file}${finding.line === null ? "" : `:${finding.line}`}: `;
  const expected = finding.expected === null ? "" : out.dim(` (expected: ${plain(finding.expected)})`);
  const severity = finding.severity === "error" ? out.bad("error  ") : out.warn("warning");
  return `  ${severity}  ${plain(where)}${plain(finding.message)}${expected}`;
}
