import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "../../src/cli/client.ts";
import { importProblem } from "../../src/cli/importproblem.ts";
import { type Stack, startStack } from "../../src/supervisor/stack.ts";
import { openBooks } from "../chaos/audit.ts";
import { PROBLEM_FOLDERS, readWork } from "../chaos/programs.ts";
import { machine, quantile, rounded } from "../figures.ts";
import { makePeople } from "./clients.ts";
import { growth, growthOfEach, type Sample, worst } from "./growth.ts";
import { openProcesses, type Processes } from "./processes.ts";
import { lookAround } from "./surroundings.ts";
import { createTraffic, MOST_UNFINISHED, type Traffic } from "./traffic.ts";

export interface SoakOptions {
  /** How long the open load lasts; its first sixth is warm-up. */
  readonly minutes: number;
  /** How long the capacity is measured before, milliseconds. */
  readonly capacityMs: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  readonly tell: (line: string) => void;
  readonly onSample: (sample: Sample) => void;
  readonly onLine?: ((process: string, line: string) => void) | undefined;
}

export interface SoakReport {
  readonly minutes: number;
  readonly submissions: number;
  readonly failed: number;
  readonly wrongVerdict: number;
  readonly putOff: number;
  readonly heldBack: number;
  readonly capacityPerSecond: number;
  readonly ratePerSecond: number;
  /** Worst of all processes; 0.05 is 5 %. */
  readonly rssGrowth: number;
  readonly heapGrowth: number;
  readonly handlesGrowth: number;
  /** Of the median latency. */
  readonly latencyGrowth: number;
  readonly rssGrowthOf: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What programs.ts submits in. */
const LANGUAGES = ["c", "cpp", "go", "java", "javascript", "python", "rust"] as const;
const PEOPLE = 20;
/**
 * Under way at once while the capacity is measured: more than there are slots, so that none waits for work; and as many
 * as there will ever be, so that pools of connections have their size before anything is compared.
 */
const AT_ONCE = MOST_UNFINISHED;
const LOAD = 0.8;
/** So small that it is full after the warm-up: what a database caches grows up to this, and no further. */
const MONGOD_CACHE_MIB = 16;
/** Samples in a run, so that each sixth has ten; but none more often than so, milliseconds. */
const SAMPLES = 60;
const LEAST_MS = 2_000;

/** Two executors of one slot that both take everything: neither is the narrow place. */
const startSmallStack = (processes: Processes, options: SoakOptions): Promise<Stack> =>
  startStack({
    pools: [{ name: "all", languages: [...LANGUAGES], executors: 2, slots: 1 }],
    mongodCacheMiB: MONGOD_CACHE_MIB,
    env: process.env,
    extraEnv: { server: processes.env, executors: processes.env },
    signal: options.signal,
    onEvent: ({ process: name, type, detail }) => {
      if (type === "died" || type === "ready") options.tell(`  ${name} ${type} ${detail ?? ""}`.trimEnd());
    },
    onLine: options.onLine,
  });

/** Starts a stack, finds out what it can do, loads it to 80 % of that, and watches what grows. */
export async function soak(
  options: SoakOptions,
): Promise<{ report: SoakReport; samples: readonly Sample[] }> {
  options.tell(machine());
  const processes = await openProcesses();
  try {
    const stack = await startSmallStack(processes, options);
    try {
      return await load(options, stack, processes);
    } finally {
      await stack.stop();
    }
  } finally {
    await processes.close();
  }
}

async function load(
  options: SoakOptions,
  stack: Stack,
  processes: Processes,
): Promise<{ report: SoakReport; samples: readonly Sample[] }> {
  const { tell, minutes } = options;
  const jury = createClient({ url: stack.url, token: stack.keys.jury });
  for (const path of PROBLEM_FOLDERS) await importProblem(jury, { path });
  const people = await makePeople(stack, PEOPLE);
  const workOf = await readWork(options.seed);
  const traffic = createTraffic({ people, jury, workOf, tell });
  const books = openBooks(stack);
  try {
    tell(`measuring the capacity: ${AT_ONCE} submissions at once for ${options.capacityMs / 1_000} s`);
    const capacity = await traffic.closed({ atOnce: AT_ONCE, forMs: options.capacityMs });
    const perSecond = capacity * LOAD;
    tell(`${rounded(capacity, 2)} a second; loading with ${rounded(perSecond, 2)} for ${minutes} minutes`);
    traffic.takeLatencies();

    const over = new AbortController();
    const loading = traffic.open({ perSecond }, over.signal);
    const all: number[] = [];
    const samples: Sample[] = [];
    const begun = performance.now();
    const ended = (): boolean => performance.now() - begun >= minutes * 60_000;
    try {
      const everyMs = Math.max(LEAST_MS, (minutes * 60_000) / SAMPLES);
      for (let next = begun + everyMs; !ended(); next += everyMs) {
        await sleep(Math.max(0, next - performance.now()), undefined, { signal: options.signal });
        const latencies = traffic.takeLatencies();
        all.push(...latencies);
        const atMinutes = (performance.now() - begun) / 60_000;
        const sample: Sample = {
          atMinutes: rounded(atMinutes, 3),
          processes: await processes.sample(stack),
          surroundings: await lookAround(stack, books),
          unfinished: traffic.unfinished(),
          submissions: traffic.counts.submissions,
          finished: latencies.length,
          p50Ms: Math.round(quantile(latencies, 0.5)),
          p99Ms: Math.round(quantile(latencies, 0.99)),
        };
        samples.push(sample);
        options.onSample(sample);
      }
    } finally {
      over.abort();
      await loading;
    }
    return { report: reportOf({ minutes, capacity, perSecond, traffic, samples, all }), samples };
  } finally {
    await Promise.all([jury, ...people.map(({ client }) => client)].map((client) => client.close()));
    await books.close();
  }
}

function reportOf(input: {
  minutes: number;
  capacity: number;
  perSecond: number;
  traffic: Traffic;
  samples: readonly Sample[];
  all: readonly number[];
}): SoakReport {
  const { minutes, samples } = input;
  const rss = growthOfEach(samples, minutes, ({ rssBytes }) => rssBytes);
  const heap = growthOfEach(samples, minutes, ({ heapBytes }) => heapBytes);
  const handles = growthOfEach(samples, minutes, (process) => process.handles);
  const { submissions, failed, wrongVerdict, putOff, heldBack } = input.traffic.counts;
  return {
    minutes,
    submissions,
    failed,
    wrongVerdict,
    putOff,
    heldBack,
    capacityPerSecond: rounded(input.capacity, 2),
    ratePerSecond: rounded(input.perSecond, 2),
    rssGrowth: rounded(worst(rss), 3),
    heapGrowth: rounded(worst(heap), 3),
    handlesGrowth: rounded(worst(handles), 3),
    latencyGrowth: rounded(
      growth(samples, minutes, ({ p50Ms }) => p50Ms),
      3,
    ),
    rssGrowthOf: Object.fromEntries(Object.entries(rss).map(([name, value]) => [name, rounded(value, 3)])),
    p50Ms: Math.round(quantile(input.all, 0.5)),
    p99Ms: Math.round(quantile(input.all, 0.99)),
  };
}
