import { type Arrivals as Rate, observe } from "../../src/server/scaling/arrivals.ts";
import { executorsNeeded, scale, type ScaleSettings, type ScaleState } from "../../src/shared/scaling.ts";
import type { Arrivals } from "./day.ts";
import { createHeap } from "./heap.ts";

export interface FleetInput {
  /** Executors at the start; without `scale` they stay. One slot each. */
  readonly executors: number;
  readonly scale?: {
    readonly settings: ScaleSettings;
    /** Between two looks. */
    readonly lookSeconds: number;
    /** From the wish for an executor to the first job it takes. */
    readonly startSeconds: number;
  };
  /** The end of what is counted as cost and utilisation; what waits is judged to its end all the same. */
  readonly untilSeconds: number;
}

/** What the fleet was like at a moment. */
export interface Look {
  readonly atSeconds: number;
  readonly waiting: number;
  readonly busy: number;
  /** That take jobs. */
  readonly executors: number;
  readonly desired: number;
}

export interface FleetOutcome {
  /** Of each submission in the order they came, seconds. */
  readonly waitSeconds: Float64Array;
  readonly executorHours: number;
  /** Part of the executors' time in which they had a job. */
  readonly utilisation: number;
  readonly mostExecutors: number;
  /** Every `lookSeconds`, or every minute. */
  readonly looks: readonly Look[];
}

/** One turn in so many begins with practice (docs/adr/0019-lanes.md). */
const PRACTICE_TURN = 5;
/** What was measured before counts as so many jobs at most, as in the server's store of service times. */
const MOST_WEIGHT = 20;
const UNKNOWN_SECONDS = 1;

/** A pool of executors through these arrivals: two lanes, each first come first served, nothing interrupted. */
export function simulate(arrivals: Arrivals, input: FleetInput): FleetOutcome {
  const { count, atSeconds, serviceSeconds, contest } = arrivals;
  const waitSeconds = new Float64Array(count);
  const finishes = createHeap();
  const starting: number[] = [];
  const lanes = { contest: [] as number[], practice: [] as number[] };
  const heads = { contest: 0, practice: 0 };
  const looks: Look[] = [];
  const everySeconds = input.scale?.lookSeconds ?? 60;
  let executors = input.executors;
  let mostExecutors = executors;
  let turn = 0;
  let nextArrival = 0;
  let nextLook = 0;
  let now = 0;
  let busySeconds = 0;
  let executorSeconds = 0;
  let started = 0;
  let rate: Rate | undefined;
  let state: ScaleState | undefined;
  let service = { mean: UNKNOWN_SECONDS, weight: 0 };
  let measured = { sum: 0, count: 0 };

  const waiting = (): number => lanes.contest.length - heads.contest + lanes.practice.length - heads.practice;

  function take(): number | undefined {
    const order =
      turn % PRACTICE_TURN === PRACTICE_TURN - 1
        ? (["practice", "contest"] as const)
        : (["contest", "practice"] as const);
    for (const lane of order) {
      const job = lanes[lane][heads[lane]];
      if (job === undefined) continue;
      turn += 1;
      heads[lane] += 1;
      // What has been taken is dropped now and then, not one by one.
      if (heads[lane] > 10_000) {
        lanes[lane] = lanes[lane].slice(heads[lane]);
        heads[lane] = 0;
      }
      return job;
    }
    return undefined;
  }

  function fill(): void {
    while (finishes.size() < executors) {
      const job = take();
      if (job === undefined) return;
      const seconds = serviceSeconds[job] ?? 0;
      waitSeconds[job] = now - (atSeconds[job] ?? 0);
      finishes.put(now + seconds);
      started += 1;
      // Told when it starts and not when it ends: a bias too small to matter here.
      measured = { sum: measured.sum + seconds, count: measured.count + 1 };
    }
  }

  /** Time passes up to `to`: whoever has a job, drains or starts costs as well as who waits for one. */
  function pass(to: number): void {
    const until = Math.min(to, input.untilSeconds);
    if (until > now) {
      const busy = finishes.size();
      busySeconds += busy * (until - now);
      executorSeconds += (Math.max(executors, busy) + starting.length) * (until - now);
    }
    now = to;
  }

  function look(): void {
    const desired = input.scale === undefined ? executors : wish(input.scale.settings);
    looks.push({ atSeconds: now, waiting: waiting(), busy: finishes.size(), executors, desired });
    if (input.scale === undefined) return;
    while (executors + starting.length < desired) starting.push(now + input.scale.startSeconds);
    // Those that are not up yet go first; of the others, who has a job finishes it.
    while (executors + starting.length > desired && starting.length > 0) starting.pop();
    executors = Math.min(executors, desired);
  }

  function wish(settings: ScaleSettings): number {
    const before = Math.min(MOST_WEIGHT, service.weight);
    if (measured.count > 0) {
      const weight = before + measured.count;
      service = { mean: (before * service.mean + measured.sum) / weight, weight };
      measured = { sum: 0, count: 0 };
    }
    rate = observe(rate, { atSeconds: now, started, waiting: waiting() });
    const load = {
      waiting: waiting(),
      arrivalsPerSecond: Math.max(0, rate.perSecond),
      serviceSeconds: service.mean,
      contest: true,
    };
    const shape = { slots: 1, contestReserved: 0 };
    const needed = executorsNeeded(shape, [load], settings.targetWaitSeconds);
    state = scale(settings, state, { needed, executors, nowSeconds: now });
    return state.desired;
  }

  while (nextArrival < count || waiting() > 0 || finishes.size() > 0) {
    const arrival = nextArrival < count ? (atSeconds[nextArrival] ?? 0) : Infinity;
    const up = starting[0] ?? Infinity;
    const next = Math.min(arrival, up, finishes.least(), nextLook);
    pass(next);
    if (next === finishes.least()) finishes.drop();
    else if (next === up) {
      starting.shift();
      executors += 1;
      mostExecutors = Math.max(mostExecutors, executors);
    } else if (next === arrival) {
      lanes[contest[nextArrival] === 1 ? "contest" : "practice"].push(nextArrival);
      nextArrival += 1;
    } else {
      look();
      nextLook += everySeconds;
    }
    fill();
  }
  pass(input.untilSeconds);
  return {
    waitSeconds,
    executorHours: executorSeconds / 3_600,
    utilisation: busySeconds / executorSeconds,
    mostExecutors,
    looks,
  };
}
