import { Counter, Gauge, type Registry } from "prom-client";
import type { RerunAlone } from "../../shared/judging.ts";
import { ALONE_SHARE, MOST_SAVED_MS } from "../machinelock.ts";
import type { RunLimits, RunRequest, Sandbox } from "../sandbox/sandbox.ts";
import type { Turnstile } from "../sandbox/turnstile.ts";
import { type FinishedRun, runToEnd } from "./run.ts";
import { type MachineTimes, wasSaturated } from "./saturation.ts";
import { runVerdict } from "./verdicts.ts";

/**
 * A TLE is believed at once when it is a clear one on a machine that had time for it. One that is near the limit, or
 * was measured while the machine was saturated, is run again with the machine to itself, and that run counts: once per
 * job, and only within a share of this executor's time, so that a flood of slow programs cannot keep everybody
 * waiting.
 */
export interface Reruns {
  /** One job's right to it. */
  forJob(): JobReruns;
  readonly stats: RerunStats;
  /** Milliseconds of being alone that are left now; below nought while the last one is being paid off. */
  budgetMs(): number;
}

export interface RerunStats {
  /** The second run was within the limit. */
  cleared: number;
  /** The second run was TLE as well. */
  confirmed: number;
  /** Not run again: too much of the time had gone into it already, or others had the machine. */
  refused: number;
  /** In which all else was held back, milliseconds. */
  aloneMs: number;
}

export interface JobReruns {
  forTest(about: {
    /** Resolves when all tests before were judged: only then a test may use up what the job has but once. */
    readonly turn: () => Promise<void>;
    /** Ends its waiting for the machine, with a throw of the reason. */
    readonly signal: AbortSignal;
  }): TestReruns;
}

export interface TestReruns {
  /** Runs the program to its end; throws as runToEnd does. `limits` of the request are the program's own. */
  run(request: RunRequest): Promise<BelievedRun>;
  /**
   * The same for a program that is not run by itself. `attempt` runs it within the limits given, to be called twice at
   * most; `run` of its result is undefined, or no TLE, when something else than the program's time decided.
   */
  believe<Attempt extends { readonly run: FinishedRun | undefined }>(
    limits: RunLimits,
    attempt: (sandbox: Pick<Sandbox, "run">, limits: RunLimits) => Promise<Attempt>,
    decides: (attempt: Attempt) => FinishedRun | undefined,
  ): Promise<Attempt & { readonly rerunAlone?: RerunAlone }>;
}

export interface BelievedRun {
  readonly run: FinishedRun;
  readonly rerunAlone?: RerunAlone;
}

/** A program is stopped only when it is so far over its CPU time: one that ends before that was near the limit. */
const TLE_MARGIN = 0.1;
/** What is measured on a saturated machine happens in floods: of what is saved up, this part is kept for near ones. */
const KEPT_FOR_NEAR = 0.5;

export function createReruns(deps: {
  readonly turnstile: Turnstile;
  readonly machineTimes: () => MachineTimes;
  readonly monotonicMs: () => number;
}): Reruns {
  const { turnstile, machineTimes, monotonicMs } = deps;
  const stats: RerunStats = { cleared: 0, confirmed: 0, refused: 0, aloneMs: 0 };
  let savedMs = MOST_SAVED_MS / 2;
  let countedAtMs = monotonicMs();
  const budgetMs = (): number => {
    const nowMs = monotonicMs();
    savedMs = Math.min(MOST_SAVED_MS, savedMs + (nowMs - countedAtMs) * ALONE_SHARE);
    countedAtMs = nowMs;
    return savedMs;
  };

  async function again<Attempt>(
    attempt: (sandbox: Pick<Sandbox, "run">) => Promise<Attempt>,
    { wallMs, signal }: { readonly wallMs: number; readonly signal: AbortSignal },
  ): Promise<Attempt | undefined> {
    const startedAtMs = monotonicMs();
    try {
      return await turnstile.alone(wallMs, attempt, signal);
    } finally {
      budgetMs();
      const tookMs = monotonicMs() - startedAtMs;
      savedMs -= tookMs;
      stats.aloneMs += tookMs;
    }
  }

  function forJob(): JobReruns {
    let used = false;
    /** Once; an attempt that was stopped, as when its slot was called back, leaves it to the one that comes instead. */
    const useUp = async <Attempt>(attempt: () => Promise<Attempt>): Promise<Attempt> => {
      used = true;
      try {
        return await attempt();
      } catch (error) {
        used = false;
        throw error;
      }
    };
    return {
      forTest({ turn, signal }) {
        const believe: TestReruns["believe"] = async (limits, attempt, decides) => {
          const lenient = withMargin(limits);
          const before = machineTimes();
          const first = await attempt(turnstile, lenient);
          const run = decides(first);
          if (run === undefined || runVerdict(run, limits) !== "TLE") return first;
          const reason = whyNotBelieved(run, before, machineTimes());
          if (reason === undefined) return first;
          await turn();
          if (used) return first;
          const kept = reason === "nearLimit" ? 0 : KEPT_FOR_NEAR * MOST_SAVED_MS;
          const { wallMs } = limits;
          const second = await useUp(async () =>
            budgetMs() <= kept
              ? undefined
              : await again((sandbox) => attempt(sandbox, lenient), { wallMs, signal }),
          );
          if (second === undefined) {
            stats.refused += 1;
            return first;
          }
          const secondRun = decides(second);
          const confirms = secondRun !== undefined && runVerdict(secondRun, limits) === "TLE";
          stats[confirms ? "confirmed" : "cleared"] += 1;
          return { ...second, rerunAlone: { reason, firstCpuMs: run.cpuMs, firstWallMs: run.wallMs } };
        };
        return {
          believe,
          run: (request) =>
            believe(
              request.limits,
              async (sandbox, limits) => ({ run: await runToEnd(sandbox, { ...request, limits }, signal) }),
              ({ run }) => run,
            ),
        };
      },
    };
  }

  return { stats, budgetMs, forJob };
}

/** How often the machine was had alone, for how long, and how much of that is still allowed. */
export function measureReruns(reruns: Reruns, registry: Registry): void {
  const { stats } = reruns;
  const registers: Registry[] = [];
  const outcomes = new Counter({
    name: "docket_executor_reruns_total",
    help: "Tests over the time limit that were to be run again alone, by what came of it.",
    labelNames: ["outcome"],
    registers,
    collect() {
      this.reset();
      for (const outcome of ["cleared", "confirmed", "refused"] as const)
        this.inc({ outcome }, stats[outcome]);
    },
  });
  const seconds = new Counter({
    name: "docket_executor_rerun_seconds_total",
    help: "Time in which this executor held back all other runs to run one alone.",
    registers,
    collect() {
      this.reset();
      this.inc(stats.aloneMs / 1_000);
    },
  });
  const budget = new Gauge({
    name: "docket_executor_rerun_budget_seconds",
    help: "Time of that kind that it may still take now; a fifth of all time is added.",
    registers,
    collect() {
      this.set(reruns.budgetMs() / 1_000);
    },
  });
  for (const metric of [outcomes, seconds, budget]) registry.registerMetric<string>(metric);
}

const withMargin = (limits: RunLimits): RunLimits => ({
  ...limits,
  cpuMs: Math.ceil(limits.cpuMs * (1 + TLE_MARGIN)),
});

function whyNotBelieved(
  run: FinishedRun,
  before: MachineTimes,
  after: MachineTimes,
): RerunAlone["reason"] | undefined {
  if (run.status.type !== "limit") return "nearLimit";
  return wasSaturated(before, after) ? "saturated" : undefined;
}
