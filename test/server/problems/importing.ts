import { createHash } from "node:crypto";
import { Sha256 } from "../../../src/shared/ids.ts";
import { ProblemManifest } from "../../../src/shared/judging.ts";
import { DEFAULT_LIMITS, type Limits } from "../../../src/shared/limits.ts";
import {
  type ImportInput,
  importPackage,
  type ImportResult,
} from "../../../src/server/problems/importpackage.ts";
import type { ProblemDocument } from "../../../src/server/store/documents.ts";

/** What an import left behind, in memory: enough for tests of reading packages; the store has tests of its own. */
export interface Imports {
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  readonly kept: ReadonlySet<string>;
  readonly problems: ReadonlyMap<string, ProblemDocument>;
  run(archive: Uint8Array, more?: Partial<ImportInput>): Promise<ImportResult>;
  manifest(result: ImportResult): ProblemManifest;
}

/** `mostPuts`: the store fails after so many blobs. */
export function collectImports(
  limits: Partial<Limits> = {},
  temporaryFolder?: string,
  mostPuts = Infinity,
): Imports {
  const blobs = new Map<string, Uint8Array>();
  const kept = new Set<string>();
  const problems = new Map<string, ProblemDocument>();
  const deps = {
    temporaryFolder,
    limits: { ...DEFAULT_LIMITS, ...limits },
    clock: { now: () => Date.parse("2026-11-24T08:00:00Z") },
    blobs: {
      put: async (content: Uint8Array) => {
        if (blobs.size >= mostPuts) throw new Error("the store is away");
        const name = Sha256.parse(createHash("sha256").update(content).digest("hex"));
        blobs.set(name, content);
        return name;
      },
      keep: async (names: readonly Sha256[]) => {
        for (const name of names) kept.add(name);
      },
    },
    problems: {
      put: async (problem: ProblemDocument) => {
        problems.set(problem._id, problem);
      },
    },
  };
  return {
    blobs,
    kept,
    problems,
    run: (archive, more = {}) => importPackage(deps, { archive, by: "jury", ...more }),
    manifest: (result) => {
      if (result.type === "refused") throw new Error(JSON.stringify(result.findings, null, 2));
      return ProblemManifest.parse(
        JSON.parse(Buffer.from(blobs.get(result.problem.manifest) ?? "").toString()),
      );
    },
  };
}

/** `file:line message` of each finding of a severity. */
export function lines(result: ImportResult, severity: "error" | "warning"): string[] {
  const findings = result.type === "refused" ? result.findings : result.warnings;
  return findings
    .filter((finding) => finding.severity === severity)
    .map(({ file, line, message }) => `${file}${line === undefined ? "" : `:${line}`} ${message}`);
}
