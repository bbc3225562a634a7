import type { Grading } from "../../shared/judging.ts";
import type { Findings } from "./finding.ts";
import { legacyGrading, LEGACY_GRADING_KEYS, modernGrading, MODERN_GRADING_KEYS } from "./grading.ts";
import type { Layout } from "./packagelimits.ts";
import type { PackageTree } from "./tree.ts";
import { argumentsValue, flagsValue, readYamlMap, warnUnknownKeys, type YamlMap } from "./yamlmap.ts";

/** What counts for the tests of one folder below data/. */
export interface GroupConfig {
  /** After the problem's own. */
  readonly validatorArgs: readonly string[];
  /** Where those stand, for messages. */
  readonly source: { readonly file: string; readonly line: number | undefined } | undefined;
  /** Command line of the submission. */
  readonly programArgs: readonly string[];
  /** A rejected test ends the group. */
  readonly breaks: boolean;
  readonly grading: Grading;
  /** Names of groups that must be accepted before this one is run. */
  readonly requires: readonly string[];
  /** The file that says so, for messages. */
  readonly yaml: YamlMap | undefined;
}

export interface GroupDeps {
  readonly tree: PackageTree;
  readonly findings: Findings;
  readonly layout: Layout;
  readonly scoring: boolean;
}

export const noGroupConfig = (scoring: boolean): GroupConfig => ({
  validatorArgs: [],
  source: undefined,
  programArgs: [],
  breaks: true,
  grading: scoring
    ? {
        type: "legacy",
        verdict: "worst",
        score: "sum",
        ignoreSample: false,
        acceptIfAnyAccepted: false,
        acceptScore: 1,
        rejectScore: 0,
      }
    : { type: "verdict" },
  requires: [],
  yaml: undefined,
});

const LEGACY_KEYS = [...LEGACY_GRADING_KEYS, "input_validator_flags", "output_validator_flags"];

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
  ...MODERN_GRADING_KEYS,
  "static_validation_score",
  "static_validator_args",
];

function legacy(deps: GroupDeps, yaml: YamlMap): GroupConfig {
  const { findings } = deps;
  warnUnknownKeys(yaml, LEGACY_KEYS, findings);
  return {
    ...noGroupConfig(deps.scoring),
    ...legacyGrading(deps, yaml),
    validatorArgs: flagsValue(yaml, "output_validator_flags", findings) ?? [],
    source: { file: yaml.file, line: yaml.lineOf("output_validator_flags") },
    yaml,
  };
}

/** One string, in the drafts before 2025-09. */
const DRAFT_FLAGS = "output_validator_flags";

/** Reads 2025-09 keys, which a file inherits one by one from what is above it. */
function modern(yaml: YamlMap, above: GroupConfig, keys: readonly string[], findings: Findings): GroupConfig {
  warnUnknownKeys(yaml, [...keys, DRAFT_FLAGS], findings);
  if (yaml.value("static_validation_score") !== undefined) {
    findings.error(yaml.file, "static validation is not supported yet", {
      line: yaml.lineOf("static_validation_score"),
    });
  }
  const programArgs = argumentsValue(yaml, "args", findings) ?? above.programArgs;
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
  if (validatorArgs === undefined) return { ...above, programArgs };
  return { ...above, programArgs, validatorArgs, source: { file: yaml.file, line: yaml.lineOf(key) } };
}

/** Drafts of 2025-09 as problemtools reads them: groups are graded as in the legacy layout. */
const isLegacyFile = (yaml: YamlMap): boolean =>
  yaml.file.endsWith("/testdata.yaml") && yaml.keys.some((key) => LEGACY_GRADING_KEYS.includes(key));

/**
 * Settings of a folder. Legacy: the nearest testdata.yaml counts alone. 2025-09: arguments of test_group.yaml add to
 * what is above, key by key; how a group is graded is its own alone.
 */
export async function readGroupConfig(
  deps: GroupDeps,
  input: { folder: string; above: GroupConfig },
): Promise<GroupConfig> {
  const { tree, findings, layout } = deps;
  const names = layout === "legacy" ? ["testdata.yaml"] : ["test_group.yaml", "testdata.yaml"];
  const name = names.find((one) => tree.files.has(`${input.folder}/${one}`));
  const file = `${input.folder}/${name}`;
  if (layout === "legacy") {
    return name === undefined ? input.above : legacy(deps, await readYamlMap(tree, file, findings));
  }
  if (name === undefined) {
    // In a draft, a group without a file of its own is graded as the one above.
    if (input.above.yaml !== undefined && isLegacyFile(input.above.yaml)) return input.above;
    return {
      ...input.above,
      ...modernGrading(deps, { folder: input.folder, yaml: undefined }),
      yaml: undefined,
    };
  }
  const yaml = await readYamlMap(tree, file, findings);
  if (name === "testdata.yaml") {
    if (isLegacyFile(yaml)) {
      findings.warn(file, "read as in the legacy layout, which is what drafts of 2025-09 had");
      return legacy(deps, yaml);
    }
    findings.warn(file, "read as test_group.yaml, which is its name since 2025-09");
  }
  const config = modern(yaml, input.above, GROUP_KEYS_2025, findings);
  return { ...config, ...modernGrading(deps, { folder: input.folder, yaml }), yaml };
}

/** Settings of one test: `<test>.yaml` (2025-09) over those of its folder. */
export async function readTestConfig(
  deps: Pick<GroupDeps, "tree" | "findings" | "layout">,
  input: { test: string; above: GroupConfig },
): Promise<GroupConfig> {
  const file = `${input.test}.yaml`;
  if (deps.layout === "legacy" || !deps.tree.files.has(file)) return input.above;
  const yaml = await readYamlMap(deps.tree, file, deps.findings);
  return modern(yaml, input.above, [...TEST_KEYS_2025, "hint", "description"], deps.findings);
}
