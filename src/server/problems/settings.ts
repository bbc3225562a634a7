import type { Findings } from "./finding.ts";
import { type Layout, type PackageLimits, readPackageLimits } from "./packagelimits.ts";
import type { PackageTree } from "./tree.ts";
import { flagsValue, readYamlMap, textValue, warnUnknownKeys, type YamlMap } from "./yamlmap.ts";

/** What problem.yaml says. */
export interface PackageSettings extends PackageLimits {
  readonly layout: Layout;
  /** By language of the statement; the key is "" where no language is named (legacy). */
  readonly names: ReadonlyMap<string, string>;
  /** Undefined: the presence of an output validator decides (2025-09). */
  readonly validation: "default" | "custom" | undefined;
  /** Given to the validator on every test, before the test's own. */
  readonly validatorFlags: readonly string[];
  readonly yaml: YamlMap;
}

const LEGACY_KEYS = [
  "problem_format_version",
  "type",
  "name",
  "uuid",
  "version",
  "author",
  "source",
  "source_url",
  "license",
  "rights_owner",
  "limits",
  "validation",
  "validator_flags",
  "grading",
  "keywords",
  "libraries",
  "languages",
];

const KEYS_2025 = [
  "problem_format_version",
  "type",
  "name",
  "uuid",
  "version",
  "credits",
  "source",
  "license",
  "rights_owner",
  "embargo_until",
  "limits",
  "keywords",
  "languages",
  "allow_file_writing",
  "constants",
];

/** Of the legacy layout, and deciding verdicts. */
const REFUSED_2025 = ["validation", "validator_flags"];

/** Layout by problem_format_version; a 2023-07 draft is read as what it became. */
function layoutOf(yaml: YamlMap, findings: Findings): Layout {
  const version = yaml.value("problem_format_version") ?? "legacy";
  if (version === "legacy" || version === "legacy-icpc") return "legacy";
  if (version === "2025-09") return "2025-09";
  const line = yaml.lineOf("problem_format_version");
  if (typeof version === "string" && /^(2023-07(-draft)?|2025-09-draft|draft)$/.test(version)) {
    findings.warn(yaml.file, `problem_format_version ${version} is read as 2025-09`, { line });
    return "2025-09";
  }
  findings.error(yaml.file, `problem_format_version ${JSON.stringify(version)} is not known`, {
    line,
    expected: "legacy, legacy-icpc or 2025-09",
  });
  return typeof version === "string" && version.startsWith("20") ? "2025-09" : "legacy";
}

function checkType(yaml: YamlMap, findings: Findings): void {
  const value = yaml.value("type") ?? "pass-fail";
  const types: readonly unknown[] = Array.isArray(value) ? value : [value];
  for (const type of types) {
    if (type === "pass-fail") continue;
    const known = ["scoring", "interactive", "multi-pass", "submit-answer"].includes(String(type));
    findings.error(
      yaml.file,
      known
        ? `problems of type ${String(type)} are not supported yet`
        : `unknown problem type ${JSON.stringify(type)}`,
      { line: yaml.lineOf("type"), expected: "pass-fail" },
    );
  }
}

function readNames(yaml: YamlMap, layout: Layout, findings: Findings): Map<string, string> {
  const byLanguage = yaml.map("name");
  if (byLanguage === undefined) {
    const name = textValue(yaml, "name", findings);
    return new Map(name === undefined ? [] : [[layout === "legacy" ? "" : "en", name]]);
  }
  const names = new Map<string, string>();
  for (const language of byLanguage.keys) {
    const name = textValue(byLanguage, language, findings);
    if (name !== undefined) names.set(language, name);
  }
  return names;
}

/** Words of the legacy `validation` key: default, or custom with extras that no version here supports yet. */
function readLegacyValidation(yaml: YamlMap, findings: Findings): "default" | "custom" {
  const words = flagsValue(yaml, "validation", findings) ?? ["default"];
  const line = yaml.lineOf("validation");
  const [first = "default", ...extras] = words;
  if (first !== "default" && first !== "custom") {
    findings.error(yaml.file, `validation is ${JSON.stringify(words.join(" "))}`, {
      line,
      expected: "default or custom",
    });
    return "default";
  }
  for (const extra of extras) {
    const known = extra === "interactive" || extra === "score" || extra === "multipass";
    findings.error(
      yaml.file,
      `validation ${known ? `"${extra}" is not supported yet` : `has the unknown word "${extra}"`}`,
      {
        line,
        expected: first,
      },
    );
  }
  return first;
}

/** Keys of 2025-09 whose meaning would be lost if they were skipped. */
function refuseUnsupported2025(yaml: YamlMap, findings: Findings): void {
  const refuse = (key: string, what: string): void =>
    findings.error(yaml.file, `${what} (${key}) is not supported yet`, { line: yaml.lineOf(key) });
  const constants = yaml.map("constants");
  if (constants !== undefined && constants.keys.length > 0) refuse("constants", "replacing constants");
  if (yaml.value("allow_file_writing") === true)
    refuse("allow_file_writing", "writing of files by submissions");
  // Skipping these would judge something else than what was meant.
  for (const key of REFUSED_2025.filter((one) => yaml.keys.includes(one))) {
    findings.error(yaml.file, `${key} is of the legacy layout`, {
      line: yaml.lineOf(key),
      expected: "output_validator_args in test_group.yaml, or a program in output_validator/",
    });
  }
  const languages = yaml.value("languages") ?? "all";
  if (languages !== "all") refuse("languages", "a choice of languages");
  if (yaml.value("embargo_until") !== undefined) {
    findings.warn(yaml.file, "embargo_until is not enforced: the problem is visible at once", {
      line: yaml.lineOf("embargo_until"),
    });
  }
}

export async function readSettings(tree: PackageTree, findings: Findings): Promise<PackageSettings> {
  const yaml = await readYamlMap(tree, "problem.yaml", findings);
  const layout = layoutOf(yaml, findings);
  warnUnknownKeys(yaml, layout === "legacy" ? LEGACY_KEYS : [...KEYS_2025, ...REFUSED_2025], findings);
  checkType(yaml, findings);
  if (layout === "2025-09") refuseUnsupported2025(yaml, findings);
  if (layout === "legacy" && yaml.map("grading") !== undefined) {
    findings.warn(yaml.file, "grading says nothing for a pass-fail problem, ignored", {
      line: yaml.lineOf("grading"),
    });
  }
  return {
    layout,
    names: readNames(yaml, layout, findings),
    ...readPackageLimits(yaml, layout, findings),
    validation: layout === "legacy" ? readLegacyValidation(yaml, findings) : undefined,
    validatorFlags: layout === "legacy" ? (flagsValue(yaml, "validator_flags", findings) ?? []) : [],
    yaml,
  };
}
