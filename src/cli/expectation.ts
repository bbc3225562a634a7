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
  /** Of the submission, or of the groups that `tests` matches; both ends included. */
  readonly score?: { readonly least: number; readonly most: number } | undefined;
}

/** What a package promises of one of its submissions. */
export interface Expectation {
  /** Short, for tables and JSON: "AC", "TLE", "WA|RTE", "rejected", "anything". */
  readonly label: string;
  /** `@EXPECTED_RESULTS@`: the verdict is one of these; takes the place of the folder's rule. */
  readonly verdicts?: readonly Verdict[] | undefined;
  readonly rules: readonly Rule[];
  /** Accepted with less than the best score. */
  readonly partial?: boolean;
}

/** Crossing the memory or output limit is a crash to the format. */
const judgementOf = (verdict: Verdict): Judgement =>
  verdict === "MLE" || verdict === "OLE" ? "RTE" : verdict;

const REJECTED: Rule = { required: ["WA", "TLE", "RTE", "CE"] };

/** Default directories of the format, and those that DOMjudge's packages add. */
const FOLDERS: Readonly<Record<string, { label: string; rule: Rule; verdicts?: readonly Verdict[] }>> = {
  accepted: { label: "AC", rule: { permitted: ["AC"] } },
  partially_accepted: { label: "partial", rule: {}, verdicts: ["AC"] },
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

/** Scoring as in the legacy layout: what the groups make of the tests' verdicts decides. */
const LEGACY_SCORING_RULES: Readonly<Record<string, { rule: Rule; verdicts: readonly Verdict[] }>> = {
  accepted: { rule: {}, verdicts: ["AC"] },
  wrong_answer: { rule: {}, verdicts: ["WA"] },
  time_limit_exceeded: { rule: {}, verdicts: ["TLE"] },
  run_time_error: { rule: {}, verdicts: ["RTE", "MLE", "OLE"] },
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
  /** Groups give scores by the legacy rules. */
  readonly legacyScoring?: boolean;
  readonly annotation: readonly Verdict[] | undefined;
  /** Of the patterns that match the submission; `folder` marks the one that replaces the folder's default. */
  readonly rules: readonly (Rule & { readonly replaces?: boolean })[];
}): Expectation {
  const scoring = input.legacyScoring === true ? LEGACY_SCORING_RULES[input.folder] : undefined;
  const folder = FOLDERS[input.folder];
  const known = folder && { ...folder, ...scoring };
  const base = scoring?.rule ?? (input.legacy ? LEGACY_RULES[input.folder] : undefined) ?? known?.rule ?? {};
  const replacing = input.rules.filter((rule) => rule.replaces === true);
  let folderRule = base;
  for (const { permitted, required, message, score } of replacing) {
    folderRule = {
      permitted: permitted ?? folderRule.permitted,
      required: required ?? folderRule.required,
      message: message ?? folderRule.message,
      score: score ?? folderRule.score,
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
  const partial = input.folder === "partially_accepted" ? { partial: true } : {};
  return { label, verdicts: known?.verdicts, rules: [folderRule, ...added], ...partial };
}

/** Undefined when the submission did as expected; else what it did instead, in one short word or phrase. */
export function missOf(expectation: Expectation, view: SubmissionView): string | undefined {
  if (!isFinal(view) || view.verdict === null) return view.state;
  const { verdict } = view;
  if (expectation.verdicts !== undefined && !expectation.verdicts.includes(verdict)) return verdict;
  const best = view.groups.find(({ name }) => name === "")?.maxScore ?? null;
  if (expectation.partial === true && view.score !== null && view.score === best) {
    return `the full score ${view.score}`;
  }
  for (const rule of expectation.rules) {
    const wrong = scoreMiss(rule, view);
    if (wrong !== undefined) return wrong;
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

function scoreMiss({ score, tests }: Rule, view: SubmissionView): string | undefined {
  if (score === undefined) return undefined;
  const found =
    tests === undefined
      ? [{ name: "all tests", score: view.score }]
      : view.groups.filter(({ name }) => globMatches(tests, name));
  const wrong = found.find((one) => one.score === null || one.score < score.least || one.score > score.most);
  if (wrong === undefined) return undefined;
  return `the score ${wrong.score ?? "none"} of ${wrong.name}, not ${score.least} to ${score.most}`;
}
