import type { Constants } from "../../shared/constants.ts";
import {
  familyOf,
  LANGUAGE_IDS,
  type LanguageId,
  languageNamed,
  LANGUAGES,
  Resource,
} from "../../shared/language.ts";
import { constantsOf } from "./constants.ts";
import type { Findings } from "./finding.ts";
import { type Layout, type PackageLimits, readPackageLimits } from "./packagelimits.ts";
import type { PackageTree } from "./tree.ts";
import { flagsValue, readYamlMap, textValue, warnUnknownKeys, type YamlMap } from "./yamlmap.ts";

type ProblemType = "pass-fail" | "scoring" | "interactive" | "multi-pass" | "submit-answer";
const TYPES: readonly ProblemType[] = ["pass-fail", "scoring", "interactive", "multi-pass", "submit-answer"];

/** What problem.yaml says. */
export interface PackageSettings extends PackageLimits {
  readonly layout: Layout;
  /** By language of the statement; the key is "" where no language is named (legacy). */
  readonly names: ReadonlyMap<string, string>;
  /** Undefined: the presence of an output validator decides (2025-09). */
  readonly validation: "default" | "custom" | undefined;
  readonly types: ReadonlySet<ProblemType>;
  /** Submissions may be in these; undefined: in all. */
  readonly languages: readonly LanguageId[] | undefined;
  /** What its programs need of the machine (a key of ours). */
  readonly resource: Resource | undefined;
  /** Submissions may write files beside themselves. */
  readonly writesFiles: boolean;
  readonly constants: Constants;
  /** Each accepted test must have a score of the validator (legacy). */
  readonly validatorScores: boolean;
  /** Given to the validator on every test, before the test's own. */
  readonly validatorFlags: readonly string[];
  readonly yaml: YamlMap;
}

/** Not of the format: what only Docket reads. */
const OWN_KEYS = ["resource"];

const LEGACY_KEYS = [
  ...OWN_KEYS,
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
  ...OWN_KEYS,
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

/** Types that exclude each other. */
const CLASHES: readonly (readonly [ProblemType, ProblemType])[] = [
  ["pass-fail", "scoring"],
  ["submit-answer", "interactive"],
  ["submit-answer", "multi-pass"],
];

function readTypes(yaml: YamlMap, layout: Layout, findings: Findings): Set<ProblemType> {
  const value = yaml.value("type") ?? "pass-fail";
  const line = yaml.lineOf("type");
  const allowed = layout === "legacy" ? TYPES.slice(0, 2) : TYPES;
  const types = new Set<ProblemType>();
  for (const word of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
    const type = allowed.find((one) => one === word);
    if (type === undefined) {
      findings.error(yaml.file, `unknown problem type ${JSON.stringify(word)}`, {
        line,
        expected: `one of ${allowed.join(", ")}`,
      });
    } else types.add(type);
  }
  for (const [one, other] of CLASHES.filter((pair) => pair.every((type) => types.has(type)))) {
    findings.error(yaml.file, `a problem cannot be both ${one} and ${other}`, { line });
  }
  return types;
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

interface LegacyValidation {
  readonly validation: "default" | "custom";
  readonly scores: boolean;
}

/** Words of the legacy `validation` key: default, or custom with `score` and `interactive`. */
function readLegacyValidation(yaml: YamlMap, types: Set<ProblemType>, findings: Findings): LegacyValidation {
  const words = flagsValue(yaml, "validation", findings) ?? ["default"];
  const line = yaml.lineOf("validation");
  const [validation = "default", ...extras] = words;
  if (validation !== "default" && validation !== "custom") {
    findings.error(yaml.file, `validation is ${JSON.stringify(words.join(" "))}`, {
      line,
      expected: "default or custom",
    });
    return { validation: "default", scores: false };
  }
  for (const extra of extras) {
    if (validation === "custom" && extra === "score") continue;
    // Of DOMjudge's packages, which call both legacy.
    if (validation === "custom" && extra === "interactive") types.add("interactive");
    else if (validation === "custom" && /^multi-?pass$/.test(extra)) types.add("multi-pass");
    else {
      findings.error(yaml.file, `validation has the unknown word "${extra}"`, {
        line,
        expected: "default, or custom with some of score, interactive, multi-pass",
      });
    }
  }
  const scores = extras.includes("score");
  if (scores && !types.has("scoring")) {
    findings.error(yaml.file, "the validator gives scores, but the problem is not of type scoring", {
      line,
      expected: "type: scoring",
    });
  }
  return { validation, scores };
}

/** Languages that submissions may be in; undefined: all. */
function readLanguages(yaml: YamlMap, findings: Findings): readonly LanguageId[] | undefined {
  const value = yaml.value("languages") ?? "all";
  // The legacy layout wrote them into one string.
  const names: unknown = typeof value === "string" ? value.split(/\s+/) : value;
  if (value === "all") return undefined;
  const line = yaml.lineOf("languages");
  if (!Array.isArray(names) || names.length === 0 || !names.every((name) => typeof name === "string")) {
    findings.error(yaml.file, `languages is ${JSON.stringify(value)}`, {
      line,
      expected: "all, or a sequence of language codes",
    });
    return undefined;
  }
  const known: LanguageId[] = [];
  for (const name of names) {
    const language = languageNamed(name);
    if (language !== undefined)
      known.push(
        // A variant for a device is taken only where it is named.
        ...LANGUAGE_IDS.filter(
          (id) => id === language || (familyOf(id) === language && LANGUAGES[id].resource === undefined),
        ),
      );
    else
      findings.warn(yaml.file, `languages names ${JSON.stringify(name)}, which is no language here`, {
        line,
      });
  }
  if (known.length === 0) {
    findings.error(yaml.file, "none of the languages is one of Docket's", {
      line,
      expected: LANGUAGE_IDS.join(", "),
    });
  }
  return known;
}

function readResource(yaml: YamlMap, findings: Findings): Resource | undefined {
  const value = yaml.value("resource");
  if (value === undefined) return undefined;
  const resource = Resource.safeParse(value);
  if (resource.success) return resource.data;
  findings.error(yaml.file, `resource is ${JSON.stringify(value)}`, {
    line: yaml.lineOf("resource"),
    expected: `one of ${Resource.options.join(", ")}`,
  });
  return undefined;
}

/** Keys of 2025-09 whose meaning would be lost if they were skipped. */
function refuseUnsupported2025(yaml: YamlMap, findings: Findings): void {
  // Skipping these would judge something else than what was meant.
  for (const key of REFUSED_2025.filter((one) => yaml.keys.includes(one))) {
    findings.error(yaml.file, `${key} is of the legacy layout`, {
      line: yaml.lineOf(key),
      expected: "output_validator_args in test_group.yaml, or a program in output_validator/",
    });
  }
  if (yaml.value("embargo_until") !== undefined) {
    findings.warn(yaml.file, "embargo_until is not enforced: the problem is visible at once", {
      line: yaml.lineOf("embargo_until"),
    });
  }
}

function booleanValue(yaml: YamlMap, key: string, findings: Findings): boolean {
  const value = yaml.value(key) ?? false;
  if (typeof value === "boolean") return value;
  findings.error(yaml.file, `${key} is ${JSON.stringify(value)}`, {
    line: yaml.lineOf(key),
    expected: "true or false",
  });
  return false;
}

export async function readSettings(tree: PackageTree, findings: Findings): Promise<PackageSettings> {
  const yaml = await readYamlMap(tree, "problem.yaml", findings);
  const layout = layoutOf(yaml, findings);
  warnUnknownKeys(yaml, layout === "legacy" ? LEGACY_KEYS : [...KEYS_2025, ...REFUSED_2025], findings);
  const types = readTypes(yaml, layout, findings);
  const legacy = layout === "legacy" ? readLegacyValidation(yaml, types, findings) : undefined;
  if (layout === "2025-09") refuseUnsupported2025(yaml, findings);
  if (layout === "legacy" && yaml.map("grading") !== undefined) {
    // `objective` and `show_test_data_groups` say how to show and compare scores, which is not ours.
    findings.warn(yaml.file, "grading is ignored here: testdata.yaml says how groups are graded", {
      line: yaml.lineOf("grading"),
    });
  }
  return {
    layout,
    names: readNames(yaml, layout, findings),
    ...readPackageLimits(yaml, layout, findings),
    types,
    languages: readLanguages(yaml, findings),
    resource: readResource(yaml, findings),
    writesFiles: layout === "2025-09" && booleanValue(yaml, "allow_file_writing", findings),
    constants: layout === "2025-09" ? constantsOf(yaml, findings) : new Map(),
    validation: legacy?.validation,
    validatorScores: legacy?.scores ?? false,
    validatorFlags: layout === "legacy" ? (flagsValue(yaml, "validator_flags", findings) ?? []) : [],
    yaml,
  };
}
