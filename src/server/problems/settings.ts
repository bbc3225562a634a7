import type { ProblemManifest } from "../../shared/judging.ts";
import type { Findings } from "./finding.ts";
import type { PackageTree } from "./tree.ts";
import {
  flagsValue,
  positiveNumber,
  readYamlMap,
  textValue,
  warnUnknownKeys,
  type YamlMap,
} from "./yamlmap.ts";

export type Layout = "legacy" | "2025-09";

/** What problem.yaml says. */
export interface PackageSettings {
  readonly layout: Layout;
  /** By language of the statement; the key is "" where no language is named (legacy). */
  readonly names: ReadonlyMap<string, string>;
  readonly limits: Omit<ProblemManifest["limits"], "timeMs">;
  readonly timeMs: number | undefined;
  readonly timeResolutionMs: number;
  /** Undefined: the presence of an output validator decides (2025-09). */
  readonly validation: "default" | "custom" | undefined;
  /** Given to the validator on every test, before the test's own. */
  readonly validatorFlags: readonly string[];
  readonly yaml: YamlMap;
}

/** The format's "typical system default"s. */
const DEFAULTS = {
  memory: 2048,
  output: 8,
  code: 128,
  compilation_time: 60,
  compilation_memory: 2048,
  validation_time: 60,
  validation_memory: 2048,
  validation_output: 8,
} as const;

/** The largest values that make sense on one machine; what is beyond is a slip of the pen. */
const MOST = {
  memory: 65_536,
  output: 4_096,
  code: 16_384,
  compilation_time: 600,
  compilation_memory: 65_536,
  validation_time: 600,
  validation_memory: 65_536,
  validation_output: 1_024,
} as const;

export const MOST_TIME_SECONDS = 300;

const UNITS: Readonly<Record<keyof typeof DEFAULTS, string>> = {
  memory: "MiB",
  output: "MiB",
  code: "KiB",
  compilation_time: "seconds",
  compilation_memory: "MiB",
  validation_time: "seconds",
  validation_memory: "MiB",
  validation_output: "MiB",
};

const LIMIT_KEYS = Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[];

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
  warnUnknownKeys(yaml, layout === "legacy" ? LEGACY_KEYS : KEYS_2025, findings);
  checkType(yaml, findings);
  if (layout === "2025-09") refuseUnsupported2025(yaml, findings);
  const limits = yaml.map("limits");
  if (limits === undefined && yaml.value("limits") !== undefined) {
    findings.error(yaml.file, "limits is not a mapping", {
      line: yaml.lineOf("limits"),
      expected: "limits: {memory: 512}",
    });
  }
  if (limits !== undefined) {
    const timing =
      layout === "legacy"
        ? ["time_multiplier", "time_safety_margin"]
        : ["time_multipliers", "validation_passes"];
    warnUnknownKeys(limits, ["time_limit", "time_resolution", ...timing, ...LIMIT_KEYS], findings);
  }
  const limit = (key: keyof typeof DEFAULTS): number => {
    const rule = { unit: UNITS[key], most: MOST[key], integer: true };
    return (limits && positiveNumber(limits, key, rule, findings)) ?? DEFAULTS[key];
  };
  const seconds = (key: string): number | undefined =>
    limits && positiveNumber(limits, key, { unit: "seconds", most: MOST_TIME_SECONDS }, findings);
  const timeSeconds = seconds("time_limit");
  if (layout === "legacy" && yaml.map("grading") !== undefined) {
    findings.warn(yaml.file, "grading says nothing for a pass-fail problem, ignored", {
      line: yaml.lineOf("grading"),
    });
  }
  return {
    layout,
    names: readNames(yaml, layout, findings),
    limits: {
      memoryMiB: limit("memory"),
      outputMiB: limit("output"),
      codeKiB: limit("code"),
      compilationTimeMs: limit("compilation_time") * 1000,
      compilationMemoryMiB: limit("compilation_memory"),
      validationTimeMs: limit("validation_time") * 1000,
      validationMemoryMiB: limit("validation_memory"),
      validationOutputMiB: limit("validation_output"),
    },
    timeMs: timeSeconds === undefined ? undefined : Math.max(1, Math.round(timeSeconds * 1000)),
    timeResolutionMs: Math.max(1, Math.round((seconds("time_resolution") ?? 1) * 1000)),
    validation: layout === "legacy" ? readLegacyValidation(yaml, findings) : undefined,
    validatorFlags: layout === "legacy" ? (flagsValue(yaml, "validator_flags", findings) ?? []) : [],
    yaml,
  };
}
