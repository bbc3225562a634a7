import type { Findings } from "./finding.ts";
import type { Layout } from "./packagelimits.ts";
import type { PackageTree } from "./tree.ts";
import { argumentsValue, flagsValue, readYamlMap, warnUnknownKeys, type YamlMap } from "./yamlmap.ts";

/** What counts for the tests of one folder below data/. */
export interface GroupConfig {
  /** After the problem's own. */
  readonly validatorArgs: readonly string[];
  /** Where those stand, for messages. */
  readonly source: { readonly file: string; readonly line: number | undefined } | undefined;
  /** A rejected test does not end the judging. */
  readonly continueOnReject: boolean;
}

export const NO_GROUP_CONFIG: GroupConfig = { validatorArgs: [], source: undefined, continueOnReject: false };

const LEGACY_KEYS = [
  "on_reject",
  "grading",
  "grader_flags",
  "input_validator_flags",
  "output_validator_flags",
  "accept_score",
  "reject_score",
  "range",
];
/** Mean something for scoring problems only. */
const LEGACY_SCORING = new Set(["accept_score", "reject_score", "range"]);

const TEST_KEYS_2025 = [
  "args",
  "input_validator_args",
  "output_validator_args",
  "input_visualizer_args",
  "output_visualizer_args",
  "full_feedback",
];
const GROUP_KEYS_2025 = [
  ...TEST_KEYS_2025,
  "max_score",
  "score_aggregation",
  "static_validation_score",
  "require_pass",
  "static_validator_args",
];
const SCORING_2025 = new Set(["max_score", "score_aggregation", "require_pass"]);

function legacy(yaml: YamlMap, findings: Findings): GroupConfig {
  warnUnknownKeys(yaml, LEGACY_KEYS, findings);
  for (const key of yaml.keys.filter((one) => LEGACY_SCORING.has(one))) {
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
  if (yaml.value("grader_flags") !== undefined && yaml.value("grader_flags") !== "") {
    findings.warn(yaml.file, "grader_flags says nothing for a pass-fail problem, ignored", {
      line: yaml.lineOf("grader_flags"),
    });
  }
  const onReject = yaml.value("on_reject") ?? "break";
  if (onReject !== "break" && onReject !== "continue") {
    findings.error(yaml.file, `on_reject is ${JSON.stringify(onReject)}`, {
      line: yaml.lineOf("on_reject"),
      expected: "break or continue",
    });
  }
  return {
    validatorArgs: flagsValue(yaml, "output_validator_flags", findings) ?? [],
    source: { file: yaml.file, line: yaml.lineOf("output_validator_flags") },
    continueOnReject: onReject === "continue",
  };
}

/** One string, in the drafts before 2025-09. */
const DRAFT_FLAGS = "output_validator_flags";

/** Reads 2025-09 keys, which a file inherits one by one from what is above it. */
function modern(yaml: YamlMap, above: GroupConfig, keys: readonly string[], findings: Findings): GroupConfig {
  warnUnknownKeys(yaml, [...keys, DRAFT_FLAGS], findings);
  for (const key of yaml.keys.filter((one) => SCORING_2025.has(one))) {
    findings.error(yaml.file, `${key} is for scoring problems only, which are not supported yet`, {
      line: yaml.lineOf(key),
    });
  }
  if (yaml.value("static_validation_score") !== undefined) {
    findings.error(yaml.file, "static validation is not supported yet", {
      line: yaml.lineOf("static_validation_score"),
    });
  }
  const programArgs = argumentsValue(yaml, "args", findings);
  if (programArgs !== undefined && programArgs.length > 0) {
    findings.error(yaml.file, "command line arguments for submissions (args) are not supported yet", {
      line: yaml.lineOf("args"),
    });
  }
  const key = yaml.keys.includes(DRAFT_FLAGS) ? DRAFT_FLAGS : "output_validator_args";
  if (key === DRAFT_FLAGS) {
    findings.warn(
      yaml.file,
      `${DRAFT_FLAGS} is read as output_validator_args, which is its name since 2025-09`,
      {
        line: yaml.lineOf(DRAFT_FLAGS),
        expected: "output_validator_args: [a, sequence]",
      },
    );
  }
  const validatorArgs = (key === DRAFT_FLAGS ? flagsValue : argumentsValue)(yaml, key, findings);
  if (validatorArgs === undefined) return above;
  return { ...above, validatorArgs, source: { file: yaml.file, line: yaml.lineOf(key) } };
}

/**
 * Settings of a folder. Legacy: the nearest testdata.yaml counts alone. 2025-09: test_group.yaml adds to what is
 * above, key by key.
 */
export async function readGroupConfig(
  deps: { tree: PackageTree; findings: Findings; layout: Layout },
  input: { folder: string; above: GroupConfig },
): Promise<GroupConfig> {
  const { tree, findings, layout } = deps;
  const names = layout === "legacy" ? ["testdata.yaml"] : ["test_group.yaml", "testdata.yaml"];
  const name = names.find((one) => tree.files.has(`${input.folder}/${one}`));
  if (name === undefined) return input.above;
  const file = `${input.folder}/${name}`;
  const yaml = await readYamlMap(tree, file, findings);
  if (layout === "legacy") return legacy(yaml, findings);
  if (name === "testdata.yaml") {
    findings.warn(file, "read as test_group.yaml, which is its name since 2025-09");
  }
  return modern(yaml, input.above, GROUP_KEYS_2025, findings);
}

/** Settings of one test: `<test>.yaml` (2025-09) over those of its folder. */
export async function readTestConfig(
  deps: { tree: PackageTree; findings: Findings; layout: Layout },
  input: { test: string; above: GroupConfig },
): Promise<GroupConfig> {
  const file = `${input.test}.yaml`;
  if (deps.layout === "legacy" || !deps.tree.files.has(file)) return input.above;
  const yaml = await readYamlMap(deps.tree, file, deps.findings);
  return modern(yaml, input.above, [...TEST_KEYS_2025, "hint", "description"], deps.findings);
}
