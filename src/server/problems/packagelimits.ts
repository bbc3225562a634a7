import type { ProblemManifest } from "../../shared/judging.ts";
import type { Findings } from "./finding.ts";
import { positiveNumber, warnUnknownKeys, type YamlMap } from "./yamlmap.ts";

export type Layout = "legacy" | "2025-09";

/** What `limits` of problem.yaml says, defaults filled in. */
export interface PackageLimits {
  readonly limits: Omit<ProblemManifest["limits"], "timeMs">;
  /** CPU time; undefined when problem.yaml names none. */
  readonly timeMs: number | undefined;
  readonly timeResolutionMs: number;
  /** Most runs of one test of a multi-pass problem. */
  readonly passes: number;
  /** Margins of the time limit over the slowest accepted and under the fastest too slow submission. */
  readonly acToTimeLimit: number;
  readonly timeLimitToTle: number;
}

interface LimitKey {
  readonly unit: string;
  /** The format's "typical system default". */
  readonly usual: number;
  /** The largest value that makes sense on one machine; what is beyond is a slip of the pen. */
  readonly most: number;
}

const KEYS = {
  memory: { unit: "MiB", usual: 2048, most: 65_536 },
  output: { unit: "MiB", usual: 8, most: 4_096 },
  code: { unit: "KiB", usual: 128, most: 16_384 },
  compilation_time: { unit: "seconds", usual: 60, most: 600 },
  compilation_memory: { unit: "MiB", usual: 2048, most: 65_536 },
  validation_time: { unit: "seconds", usual: 60, most: 600 },
  validation_memory: { unit: "MiB", usual: 2048, most: 65_536 },
  validation_output: { unit: "MiB", usual: 8, most: 1_024 },
} as const satisfies Record<string, LimitKey>;

export const MOST_TIME_SECONDS = 300;

/** What holds where a package says nothing, memory apart from Polygon's. */
export const DEFAULT_PACKAGE_LIMITS: PackageLimits["limits"] = {
  memoryMiB: KEYS.memory.usual,
  outputMiB: KEYS.output.usual,
  codeKiB: KEYS.code.usual,
  compilationTimeMs: KEYS.compilation_time.usual * 1_000,
  compilationMemoryMiB: KEYS.compilation_memory.usual,
  validationTimeMs: KEYS.validation_time.usual * 1_000,
  validationMemoryMiB: KEYS.validation_memory.usual,
  validationOutputMiB: KEYS.validation_output.usual,
};

const TIMING: Readonly<Record<Layout, readonly string[]>> = {
  legacy: ["time_multiplier", "time_safety_margin"],
  "2025-09": ["time_multipliers", "validation_passes"],
};
const MULTIPLIERS = ["ac_to_time_limit", "time_limit_to_tle"];
/** More would be a validator that does not come to an end. */
const MOST_PASSES = 1_000;

function readMultipliers(
  map: YamlMap | undefined,
  layout: Layout,
  findings: Findings,
): Pick<PackageLimits, "acToTimeLimit" | "timeLimitToTle"> {
  const within = layout === "legacy" ? map : map?.map("time_multipliers");
  if (layout === "2025-09" && within !== undefined) warnUnknownKeys(within, MULTIPLIERS, findings);
  const [low, high] =
    layout === "legacy" ? (["time_multiplier", "time_safety_margin"] as const) : MULTIPLIERS;
  const [usualLow, usualHigh] = layout === "legacy" ? [5, 2] : [2, 1.5];
  const read = (key: string | undefined, usual: number): number => {
    if (within === undefined || key === undefined) return usual;
    const value = positiveNumber(within, key, { unit: "times", most: 1_000 }, findings) ?? usual;
    if (value >= 1) return value;
    findings.error(within.file, `${within.prefix}${key} is ${value}`, {
      line: within.lineOf(key),
      expected: "at least 1",
    });
    return usual;
  };
  return { acToTimeLimit: read(low, usualLow ?? 2), timeLimitToTle: read(high, usualHigh ?? 1.5) };
}

function readPasses(map: YamlMap | undefined, findings: Findings): number {
  const rule = { unit: "passes", most: MOST_PASSES, integer: true };
  const value = (map && positiveNumber(map, "validation_passes", rule, findings)) ?? 2;
  if (value >= 2) return value;
  findings.error(map?.file ?? "", `limits.validation_passes is ${value}`, {
    line: map?.lineOf("validation_passes"),
    expected: "at least 2",
  });
  return 2;
}

const milliseconds = (seconds: number): number => Math.max(1, Math.round(seconds * 1000));

export function readPackageLimits(yaml: YamlMap, layout: Layout, findings: Findings): PackageLimits {
  const map = yaml.map("limits");
  if (map === undefined && yaml.value("limits") !== undefined) {
    findings.error(yaml.file, "limits is not a mapping", {
      line: yaml.lineOf("limits"),
      expected: "limits: {memory: 512}",
    });
  }
  if (map !== undefined) {
    const known = ["time_limit", "time_resolution", ...TIMING[layout], ...Object.keys(KEYS)];
    warnUnknownKeys(map, known, findings);
  }
  const limit = (key: keyof typeof KEYS): number => {
    const { unit, usual, most } = KEYS[key];
    return (map && positiveNumber(map, key, { unit, most, integer: true }, findings)) ?? usual;
  };
  const seconds = (key: string): number | undefined =>
    map && positiveNumber(map, key, { unit: "seconds", most: MOST_TIME_SECONDS }, findings);
  const timeLimit = seconds("time_limit");
  return {
    limits: {
      memoryMiB: limit("memory"),
      outputMiB: limit("output"),
      codeKiB: limit("code"),
      compilationTimeMs: milliseconds(limit("compilation_time")),
      compilationMemoryMiB: limit("compilation_memory"),
      validationTimeMs: milliseconds(limit("validation_time")),
      validationMemoryMiB: limit("validation_memory"),
      validationOutputMiB: limit("validation_output"),
    },
    timeMs: timeLimit === undefined ? undefined : milliseconds(timeLimit),
    timeResolutionMs: milliseconds(seconds("time_resolution") ?? 1),
    passes: readPasses(map, findings),
    ...readMultipliers(map, layout, findings),
  };
}
