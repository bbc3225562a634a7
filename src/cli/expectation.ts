import type { Verdict } from "../shared/verdict.ts";
import { globMatches } from "./glob.ts";
import { isFinal, type SubmissionView } from "./operations.ts";

/** The format's four verdicts of a test, and CE, which it has no word for. */
export type Judgement = "AC" | "WA" | "TLE" | "RTE" | "CE";

/** One requirement: on all tests or those that `tests` matches. */
export interface Rule {
  readonly permitted?: readonly Judgement[] | undefined;
  readonly required?: readonly Judgement[] | undefined;
  readonly tests?: string | undefined;
  /** Must be part of some test's judge message. */
  readonly message?: string | undefined;
}

/** What a package promises of one of its submissions. */
export interface Expectation {
  /** Short, for tables and JSON: "AC", "TLE", "WA|RTE", "rejected", "anything". */
  readonly label: string;
  /** `@EXPECTED_RESULTS@`: the verdict is one of these; takes the place of the folder's rule. */
  readonly verdicts?: readonly Verdict[] | undefined;
  readonly rules: readonly Rule[];
}

/** Crossing the memory or output limit is a crash to the format. */
const judgementOf = (verdict: Verdict): Judgement =>
  verdict === "MLE" || verdict === "OLE" ? "RTE" : verdict;

const REJECTED: Rule = { required: ["WA", "TLE", "RTE", "CE"] };

/** Default directories of the format, and those that DOMjudge's packages add. */
const FOLDERS: Readonly<Record<string, { label: string; rule: Rule; verdicts?: readonly Verdict[] }>> = {
  accepted: { label: "AC", rule: { permitted: ["AC"] } },
  partially_accepted: { label: "AC", rule: { permitted: ["AC"] } },
  rejected: { label: "rejected", rule: REJECTED },
  wrong_answer: { label: "WA", rule: { permitted: ["AC", "WA"], required: ["WA"] } },
  time_limit_exceeded: { label: "TLE", rule: { permitted: ["AC", "TLE"], required: ["TLE"] } },
  run_time_error: { label: "RTE", rule: { permitted: ["AC", "RTE"], required: ["RTE"] } },
  brute_force: { label: "RTE|TLE", rule: { permitted: ["AC", "RTE", "TLE"], required: ["RTE", "TLE"] } },
  compile_error: { label: "CE", rule: {}, verdicts: ["CE"] },
  compiler_error: { label: "CE", rule: {}, verdicts: ["CE"] },
  memory_limit_exceeded: { label: "MLE", rule: {}, verdicts: ["MLE"] },
  output_limit_exceeded: { label: "OLE", rule: {}, verdicts: ["OLE"] },
};

/** What legacy packages may do besides, in the words of that version. */
const LEGACY_RULES: Readonly<Record<string, Rule>> = {
  time_limit_exceeded: { permitted: ["AC", "TLE", "WA"], required: ["TLE"] },
  run_time_error: { required: ["RTE"] },
};

/** Names that DOMjudge knows in `@EXPECTED_RESULTS@`. NO-OUTPUT is a wrong answer here. */
const ANNOTATIONS: Readonly<Record<string, Verdict>> = {
  CORRECT: "AC",
  ACCEPTED: "AC",
  "WRONG-ANSWER": "WA",
  "NO-OUTPUT": "WA",
  TIMELIMIT: "TLE",
  "TIME-LIMIT": "TLE",
  "TIME-LIMIT-EXCEEDED": "TLE",
  "RUN-ERROR": "RTE",
  "RUN-TIME-ERROR": "RTE",
  "MEMORY-LIMIT": "MLE",
  "MEMORY-LIMIT-EXCEEDED": "MLE",
  "OUTPUT-LIMIT": "OLE",
  "OUTPUT-LIMIT-EXCEEDED": "OLE",
  "COMPILER-ERROR": "CE",
  "COMPILE-ERROR": "CE",
};

/** Verdicts of the first `@EXPECTED_RESULTS@: A, B` in a source; undefined without one that says anything known. */
export function readAnnotation(source: string): readonly Verdict[] | undefined {
  const line = /@EXPECTED_RESULTS@:\s*([A-Za-z_,\s-]*)/.exec(source)?.[1]?.split("\n")[0];
  const verdicts = (line ?? "")
    .split(",")
    .map((word) => ANNOTATIONS[word.trim().toUpperCase().replaceAll("_", "-")])
    .filter((verdict) => verdict !== undefined);
  // A crash of any sort satisfies RUN-ERROR: not all judges tell them apart.
  if (verdicts.includes("RTE")) verdicts.push("MLE", "OLE");
  return verdicts.length === 0 ? undefined : [...new Set(verdicts)];
}

const labelOf = (words: readonly string[]): string => [...words].toSorted().join("|");

/** Rules for one submission out of its folder, its own annotation and submissions.yaml. */
export function expectationOf(input: {
  readonly folder: string;
  readonly legacy: boolean;
  readonly annotation: readonly Verdict[] | undefined;
  /** Of the patterns that match the submission; `folder` marks the one that replaces the folder's default. */
  readonly rules: readonly (Rule & { readonly replaces?: boolean })[];
}): Expectation {
  const known = FOLDERS[input.folder];
  const base = (input.legacy ? LEGACY_RULES[input.folder] : undefined) ?? known?.rule ?? {};
  const replacing = input.rules.filter((rule) => rule.replaces === true);
  let folderRule = base;
  for (const { permitted, required, message } of replacing) {
    folderRule = {
      permitted: permitted ?? folderRule.permitted,
      required: required ?? folderRule.required,
      message: message ?? folderRule.message,
    };
  }
  const added = input.rules.filter((rule) => rule.replaces !== true);
  if (input.annotation !== undefined) {
    const shown = input.annotation.includes("RTE")
      ? input.annotation.filter((verdict) => verdict !== "MLE" && verdict !== "OLE")
      : input.annotation;
    return { label: labelOf(shown), verdicts: input.annotation, rules: added };
  }
  const required = [folderRule, ...added].findLast(
    (rule) => rule.tests === undefined && rule.required,
  )?.required;
  const custom = added.length > 0 || replacing.length > 0;
  const label =
    (custom && required ? labelOf(required) : known?.label) ?? (required ? labelOf(required) : "anything");
  return { label, verdicts: known?.verdicts, rules: [folderRule, ...added] };
}

/** Undefined when the submission did as expected; else what it did instead, in one short word or phrase. */
export function missOf(expectation: Expectation, view: SubmissionView): string | undefined {
  if (!isFinal(view) || view.verdict === null) return view.state;
  const { verdict } = view;
  if (expectation.verdicts !== undefined && !expectation.verdicts.includes(verdict)) return verdict;
  for (const rule of expectation.rules) {
    const tests =
      rule.tests === undefined
        ? view.tests
        : view.tests.filter(({ name }) => globMatches(rule.tests ?? "", name));
    const seen: Judgement[] = verdict === "CE" ? ["CE"] : tests.map((test) => judgementOf(test.verdict));
    const { permitted, required, message } = rule;
    if (permitted !== undefined && seen.some((one) => !permitted.includes(one))) return verdict;
    if (required !== undefined && !seen.some((one) => required.includes(one))) return verdict;
    if (message !== undefined && !tests.some((test) => test.judgeMessage?.includes(message) === true)) {
      return `${verdict} without the message ${JSON.stringify(message)}`;
    }
  }
  return undefined;
}
