import { statfs } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { Clock } from "../../shared/clock.ts";
import type { JudgeResult } from "../../shared/judging.ts";
import type { LanguageId } from "../../shared/language.ts";
import type { Limits } from "../../shared/limits.ts";
import type { Turnstile } from "../sandbox/turnstile.ts";
import type { WorkKind } from "../work.ts";
import { type ArtefactCache, openArtefactCache } from "./artefacts.ts";
import { createCodeRun } from "./coderun.ts";
import type { UsableLanguage } from "./compiler.ts";
import { createJudge, type JudgeDeps } from "./judge.ts";
import { createReruns, measureReruns, type Reruns } from "./rerun.ts";
import { readMachineTimes } from "./saturation.ts";
import { readCpuPressure } from "./wall.ts";
import { removeOldWorkspaces } from "./workspace.ts";

export interface OpenJudgeDeps {
  readonly sandbox: Turnstile;
  /** The executor's own; jobs and artefacts live below it. */
  readonly workDir: string;
  readonly limits: JudgeDeps["limits"] & Pick<Limits, "artefactCacheBytes">;
  readonly clock: Clock;
  readonly registry: Registry;
  /** What may be compiled and run here, validators included; undefined for the rest. Asked anew for each job. */
  readonly language: (id: LanguageId) => UsableLanguage | undefined;
  /** How much processes of this machine wait for a CPU, 0 to 1; by default the kernel's own figure. */
  readonly cpuPressure?: (() => number) | undefined;
}

/** A disk with fewer left is full. Some file systems do not count them. */
const LEAST_FILES = 100;

/**
 * Judging and running on one's own input, ready to run: what an earlier process left is cleaned up, its artefacts are
 * kept. Both compile with the same cache.
 */
export async function openJudge(
  deps: OpenJudgeDeps,
): Promise<{ readonly judge: WorkKind; readonly codeRun: WorkKind }> {
  await removeOldWorkspaces(deps);
  const artefacts = await openArtefactCache({
    folder: join(deps.workDir, "artefacts"),
    maxBytes: deps.limits.artefactCacheBytes,
  });
  measureCache(artefacts, deps.registry);
  const both = {
    sandbox: deps.sandbox,
    workDir: deps.workDir,
    limits: deps.limits,
    freeDiskBytes: async () => {
      const { bavail, bsize, files, ffree } = await statfs(deps.workDir);
      // No room for a file is no room, whatever is left for what is in them.
      return files > 0 && ffree < LEAST_FILES ? 0 : bavail * bsize;
    },
    language: deps.language,
    artefacts,
    cpuPressure: deps.cpuPressure ?? readCpuPressure,
  };
  return {
    judge: createJudge({
      ...both,
      cores: availableParallelism(),
      onBeside: measureBeside(deps.registry),
      reruns: openReruns(deps),
      ...measureJudgings(deps.registry, deps.limits),
    }),
    codeRun: createCodeRun(both),
  };
}

function openReruns({ sandbox, registry }: Pick<OpenJudgeDeps, "sandbox" | "registry">): Reruns {
  const monotonicMs = (): number => performance.now();
  const reruns = createReruns({
    turnstile: sandbox,
    machineTimes: () => readMachineTimes(monotonicMs),
    monotonicMs,
  });
  measureReruns(reruns, registry);
  return reruns;
}

function measureBeside(registry: Registry): JudgeDeps["onBeside"] {
  const beside = new Counter({
    name: "docket_executor_tests_beside_total",
    help: "Tests run in a slot beside the job's own, by what came of it: taken, unneeded after a rejection, or stopped for another job.",
    labelNames: ["outcome"],
    registers: [registry],
  });
  return (outcome) => beside.inc({ outcome });
}

type CutLimit = Parameters<JudgeDeps["onCut"]>[0];

/** Limits at which a text of this result ends. */
function cutsOf({ compile, tests }: JudgeResult, limits: JudgeDeps["limits"]): CutLimit[] {
  const texts: [CutLimit, string | undefined][] = [
    ["compileMessageCharacters", compile?.message],
    ...tests.flatMap(({ judgeMessage, errorOutput, transcript }): [CutLimit, string | undefined][] => [
      ["judgeMessageCharacters", judgeMessage],
      ["errorOutputCharacters", errorOutput],
      ["transcriptCharacters", transcript],
    ]),
  ];
  return texts.flatMap(([limit, text]) => ((text?.length ?? 0) >= limits[limit] ? [limit] : []));
}

function measureJudgings(
  registry: Registry,
  limits: JudgeDeps["limits"],
): Pick<JudgeDeps, "onJudged" | "onCut"> {
  const registers = [registry];
  const verdicts = new Counter({
    name: "docket_executor_verdicts_total",
    help: "Judgings that came to a verdict, by language and verdict.",
    labelNames: ["language", "verdict"],
    registers,
  });
  const tests = new Counter({
    name: "docket_executor_tests_total",
    help: "Tests run, by language.",
    labelNames: ["language"],
    registers,
  });
  const compileSeconds = new Histogram({
    name: "docket_executor_compile_seconds",
    help: "Wall time of compilations that were not found in the cache, by language.",
    labelNames: ["language"],
    buckets: [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  });
  const cuts = new Counter({
    name: "docket_executor_cut_total",
    help: "Texts of judgings that were cut at a limit, and tests whose texts found no room, by limit.",
    labelNames: ["limit"],
    registers,
  });
  return {
    onCut: (limit) => cuts.inc({ limit }),
    onJudged(language, result) {
      const { verdict, tests: reports, compile } = result;
      verdicts.inc({ language, verdict });
      tests.inc({ language }, reports.length);
      if (compile?.cached === false) compileSeconds.observe({ language }, compile.wallMs / 1_000);
      for (const limit of cutsOf(result, limits)) cuts.inc({ limit });
    },
  };
}

function measureCache({ stats }: ArtefactCache, registry: Registry): void {
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
  registry.registerMetric(
    new Counter({
      name: "docket_executor_artefact_cache_evictions_total",
      help: "Compiled programs that made room for newer ones (limit artefactCacheBytes).",
      registers: [],
      collect() {
        this.reset();
        this.inc(stats.evictions);
      },
    }),
  );
}
