import type { Grading } from "../../shared/judging.ts";
import type { Findings } from "./finding.ts";
import { flagsValue, textValue, type YamlMap } from "./yamlmap.ts";

/** How one folder of tests is graded, read from its file. */
interface GroupGrading {
  readonly breaks: boolean;
  readonly grading: Grading;
  readonly requires: readonly string[];
}

type LegacyGrading = Extract<Grading, { type: "legacy" }>;
type AggregateGrading = Extract<Grading, { type: "aggregate" }>;

export const LEGACY_GRADING_KEYS: readonly string[] = [
  "on_reject",
  "grading",
  "grader_flags",
  "accept_score",
  "reject_score",
  "range",
];
/** Mean something for scoring problems only. */
const LEGACY_SCORING = new Set(["accept_score", "reject_score", "range"]);
export const MODERN_GRADING_KEYS: readonly string[] = ["max_score", "score_aggregation", "require_pass"];

const VERDICT_FLAGS: Readonly<Record<string, LegacyGrading["verdict"]>> = {
  first_error: "first",
  worst_error: "worst",
  // Its name before; problemtools knows both.
  no_errors: "worst",
  always_accept: "accept",
};
const SCORE_FLAGS: ReadonlySet<string> = new Set(["sum", "avg", "min", "max"]);

interface Deps {
  readonly findings: Findings;
  readonly scoring: boolean;
}

function numberValue(yaml: YamlMap, key: string, fallback: number, findings: Findings): number {
  const value = yaml.value(key) ?? fallback;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  findings.error(yaml.file, `${key} is ${JSON.stringify(value)}`, {
    line: yaml.lineOf(key),
    expected: "a number",
  });
  return fallback;
}

/** `range: A B`; an infinite end is none. */
function rangeValue(yaml: YamlMap, findings: Findings): { least?: number; most?: number } {
  const text = yaml.value("range");
  if (text === undefined) return {};
  const words = typeof text === "string" ? text.trim().split(/\s+/) : [];
  const [least = NaN, most = NaN] = words.map((word) =>
    /^[+-]?inf(inity)?$/i.test(word) ? (word.startsWith("-") ? -Infinity : Infinity) : Number(word),
  );
  if (words.length !== 2 || !(least <= most)) {
    findings.error(yaml.file, `range is ${JSON.stringify(text)}`, {
      line: yaml.lineOf("range"),
      expected: "two numbers, the smaller one first, e.g. 0 100 or -inf +inf",
    });
    return {};
  }
  return { ...(Number.isFinite(least) ? { least } : {}), ...(Number.isFinite(most) ? { most } : {}) };
}

/** The flags of the format's default grader, problemtools' `default_grader`. */
export function legacyGrading({ findings, scoring }: Deps, yaml: YamlMap): GroupGrading {
  for (const key of scoring ? [] : yaml.keys.filter((one) => LEGACY_SCORING.has(one))) {
    findings.warn(yaml.file, `${key} says nothing for a pass-fail problem, ignored`, {
      line: yaml.lineOf(key),
    });
  }
  if (yaml.value("grading") === "custom") {
    findings.error(yaml.file, "custom graders are not supported yet", {
      line: yaml.lineOf("grading"),
      expected: "grading: default",
    });
  }
  const onReject = yaml.value("on_reject") ?? "break";
  if (onReject !== "break" && onReject !== "continue") {
    findings.error(yaml.file, `on_reject is ${JSON.stringify(onReject)}`, {
      line: yaml.lineOf("on_reject"),
      expected: "break or continue",
    });
  }
  // By the format the worst verdict counts unless a flag says else; without scores, ours is the first one.
  let verdict: LegacyGrading["verdict"] = scoring ? "worst" : "first";
  let score: LegacyGrading["score"] = "sum";
  const seen = new Set<string>();
  for (const flag of flagsValue(yaml, "grader_flags", findings) ?? []) {
    seen.add(flag);
    if (Object.hasOwn(VERDICT_FLAGS, flag)) verdict = VERDICT_FLAGS[flag] ?? verdict;
    else if (SCORE_FLAGS.has(flag)) score = flag as LegacyGrading["score"];
    else if (flag !== "ignore_sample" && flag !== "accept_if_any_accepted") {
      findings.error(yaml.file, `unknown flag ${JSON.stringify(flag)} of the default grader`, {
        line: yaml.lineOf("grader_flags"),
        expected: `some of ${[...Object.keys(VERDICT_FLAGS), ...SCORE_FLAGS].join(", ")}, ignore_sample, accept_if_any_accepted`,
      });
    }
  }
  return {
    breaks: onReject !== "continue",
    requires: [],
    grading: {
      type: "legacy",
      verdict,
      score,
      // Makes sense over sample and secret only, and is inherited by groups without a file.
      ignoreSample: seen.has("ignore_sample") && yaml.file === "data/testdata.yaml",
      acceptIfAnyAccepted: seen.has("accept_if_any_accepted"),
      acceptScore: scoring ? numberValue(yaml, "accept_score", 1, findings) : 1,
      rejectScore: scoring ? numberValue(yaml, "reject_score", 0, findings) : 0,
      ...(scoring ? rangeValue(yaml, findings) : {}),
    },
  };
}

function maxScoreValue(
  yaml: YamlMap | undefined,
  fallback: number | null,
  findings: Findings,
): number | null {
  const value = yaml?.value("max_score") ?? fallback;
  if (value === null || value === "unbounded") return null;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0) return value;
  findings.error(yaml?.file ?? "", `max_score is ${JSON.stringify(value)}`, {
    line: yaml?.lineOf("max_score"),
    expected: "a whole number, not negative, or unbounded",
  });
  return fallback;
}

function requiredGroups(yaml: YamlMap | undefined, findings: Findings): readonly string[] {
  const value = yaml?.value("require_pass") ?? [];
  const names: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (names.every((name) => typeof name === "string")) return names;
  findings.error(yaml?.file ?? "", `require_pass is ${JSON.stringify(value)}`, {
    line: yaml?.lineOf("require_pass"),
    expected: "sample, a group such as secret/group1, or a sequence of those",
  });
  return [];
}

/** Grading of `data/sample`, `data/secret` or a group of the 2025-09 layout. */
export function modernGrading(
  { findings, scoring }: Deps,
  { folder, yaml }: { readonly folder: string; readonly yaml: YamlMap | undefined },
): GroupGrading {
  const keys = yaml?.keys.filter((key) => MODERN_GRADING_KEYS.includes(key)) ?? [];
  const elsewhere = folder === "data/sample" || folder === "data";
  if (!scoring || elsewhere) {
    for (const key of keys) {
      const why = scoring ? `is not allowed in ${folder}` : "is for scoring problems only";
      findings.error(yaml?.file ?? "", `${key} ${why}`, {
        line: yaml?.lineOf(key),
        ...(scoring ? {} : { expected: "type: scoring in problem.yaml" }),
      });
    }
    return { breaks: true, grading: { type: "verdict" }, requires: [] };
  }
  const secret = folder === "data/secret";
  const usual = secret ? "sum" : "pass-fail";
  const by = (yaml && textValue(yaml, "score_aggregation", findings)) ?? usual;
  const known = by === "sum" || by === "min" || by === "pass-fail";
  if (!known) {
    findings.error(yaml?.file ?? "", `score_aggregation is ${JSON.stringify(by)}`, {
      line: yaml?.lineOf("score_aggregation"),
      expected: "sum, min or pass-fail",
    });
  }
  const grading: AggregateGrading = {
    type: "aggregate",
    by: known ? by : usual,
    maxScore: maxScoreValue(yaml, secret ? 100 : null, findings),
  };
  return { breaks: grading.by !== "sum", grading, requires: requiredGroups(yaml, findings) };
}
