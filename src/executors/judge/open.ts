import { statfs } from "node:fs/promises";
import { join } from "node:path";
import { Counter, Gauge, type Registry } from "prom-client";
import type { Clock } from "../../shared/clock.ts";
import type { LanguageId } from "../../shared/language.ts";
import type { Limits } from "../../shared/limits.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { WorkKind } from "../work.ts";
import { type ArtefactCache, openArtefactCache } from "./artefacts.ts";
import type { UsableLanguage } from "./compiler.ts";
import { createJudge } from "./judge.ts";
import { createToolchainProof } from "./toolchainproof.ts";
import { removeOldWorkspaces } from "./workspace.ts";

export interface OpenJudgeDeps {
  readonly sandbox: Sandbox;
  /** The executor's own; jobs and artefacts live below it. */
  readonly workDir: string;
  readonly limits: Pick<Limits, "artefactCacheBytes" | "compileMessageCharacters" | "judgeMessageCharacters">;
  readonly clock: Clock;
  readonly registry: Registry;
  /** What may be compiled and run here, validators included; undefined for the rest. Asked anew for each job. */
  readonly language: (id: LanguageId) => UsableLanguage | undefined;
}

/** The kind of work "judge", ready to run: what an earlier process left is cleaned up, its artefacts are kept. */
export async function openJudge(deps: OpenJudgeDeps): Promise<WorkKind> {
  await removeOldWorkspaces(deps);
  const artefacts = await openArtefactCache({
    folder: join(deps.workDir, "artefacts"),
    maxBytes: deps.limits.artefactCacheBytes,
  });
  measure(artefacts, deps.registry);
  return createJudge({
    sandbox: deps.sandbox,
    workDir: deps.workDir,
    limits: deps.limits,
    freeDiskBytes: async () => {
      const { bavail, bsize } = await statfs(deps.workDir);
      return bavail * bsize;
    },
    language: deps.language,
    artefacts,
    proof: createToolchainProof(deps),
  });
}

function measure({ stats }: ArtefactCache, registry: Registry): void {
  registry.registerMetric(
    new Counter({
      name: "docket_executor_artefact_cache_lookups_total",
      help: "Compiled programs looked up in the cache, by whether they were there.",
      labelNames: ["result"],
      registers: [],
      collect() {
        this.reset();
        this.inc({ result: "hit" }, stats.hits);
        this.inc({ result: "miss" }, stats.misses);
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: "docket_executor_artefact_cache_bytes",
      help: "Bytes in the cache of compiled programs.",
      registers: [],
      collect() {
        this.set(stats.bytes);
      },
    }),
  );
}
