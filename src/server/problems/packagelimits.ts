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

const TIMING: Readonly<Record<Layout, readonly string[]>> = {
  legacy: ["time_multiplier", "time_safety_margin"],
  "2025-09": ["time_multipliers", "validation_passes"],
};

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
  };
}
