import { describe, expect, test } from "vitest";
import { createRandom } from "../../bench/chaos/random.ts";
import { type Arrivals, CONTEST, day, DAY_SECONDS } from "../../bench/simulation/day.ts";
import { createHeap } from "../../bench/simulation/heap.ts";
import { simulate } from "../../bench/simulation/simulate.ts";
import { ScaleSettings } from "../../src/shared/scaling.ts";

/** Poisson arrivals and exponential service, as in the theory. */
function poisson(count: number, perSecond: number, meanSeconds: number): Arrivals {
  const random = createRandom(7);
  const exponential = (mean: number): number => -Math.log(1 - random.next()) * mean;
  let now = 0;
  return {
    count,
    atSeconds: Float64Array.from({ length: count }, () => (now += exponential(1 / perSecond))),
    serviceSeconds: Float64Array.from({ length: count }, () => exponential(meanSeconds)),
    contest: new Uint8Array(count),
  };
}

/** Erlang's C: the part that has to wait with `servers` for a load of so many busy ones. */
function erlangC(servers: number, load: number): number {
  let blocked = 1;
  for (let n = 1; n <= servers; n++) blocked = (load * blocked) / (n + load * blocked);
  return blocked / (1 - (load / servers) * (1 - blocked));
}

const mean = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe("the simulation of a fixed fleet", () => {
  test.each([
    { executors: 1, load: 0.7 },
    { executors: 4, load: 3 },
    { executors: 30, load: 27 },
  ])("of $executors executors under a load of $load waits as M/M/c does", ({ executors, load }) => {
    const meanSeconds = 2;
    const arrivals = poisson(300_000, load / meanSeconds, meanSeconds);
    const untilSeconds = arrivals.atSeconds.at(-1) ?? 0;
    const { waitSeconds, utilisation } = simulate(arrivals, { executors, untilSeconds });
    const waits = erlangC(executors, load);
    const tail = (seconds: number): number => waits * Math.exp((-(executors - load) * seconds) / meanSeconds);
    const beyond = (seconds: number): number =>
      waitSeconds.filter((wait) => wait > seconds).length / arrivals.count;
    expect(mean(waitSeconds) / ((waits * meanSeconds) / (executors - load))).toBeCloseTo(1, 0.7);
    for (const seconds of [0, 1, 4]) expect(beyond(seconds)).toBeCloseTo(tail(seconds), 1.5);
    expect(utilisation).toBeCloseTo(load / executors, 2);
  });

  test("judges everything once, contest first, and practice with its share", () => {
    // All at once: 100 of each lane on one executor, a second each.
    const count = 200;
    const arrivals: Arrivals = {
      count,
      atSeconds: new Float64Array(count),
      serviceSeconds: new Float64Array(count).fill(1),
      contest: Uint8Array.from({ length: count }, (_, index) => index % 2),
    };
    const { waitSeconds, executorHours } = simulate(arrivals, { executors: 1, untilSeconds: 200 });
    expect([...waitSeconds].toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, n) => n));
    const contest = waitSeconds.filter((_, index) => index % 2 === 1);
    // The first to come is of practice and starts alone; from then on four turns in five are the contest's: 100 of them
    // and 26 of practice before the last.
    expect(Math.max(...contest)).toBe(125);
    expect(executorHours).toBeCloseTo(200 / 3_600);
  });
});

describe("the simulation of a fleet that scales", () => {
  const settings = ScaleSettings.parse({ least: 1, most: 50, coolDownSeconds: 300 });
  const scale = { settings, lookSeconds: 5, startSeconds: 30 };

  test("settles where theory says that 95 in 100 wait no longer than the target", () => {
    const arrivals = poisson(100_000, 10, 2);
    const untilSeconds = arrivals.atSeconds.at(-1) ?? 0;
    const { waitSeconds, looks } = simulate(arrivals, { executors: 1, scale, untilSeconds });
    const settled = looks.filter(({ atSeconds }) => atSeconds > untilSeconds / 4 && atSeconds < untilSeconds);
    for (const { desired } of settled) {
      expect(desired).toBeGreaterThanOrEqual(20);
      expect(desired).toBeLessThanOrEqual(32);
    }
    const late = waitSeconds.slice(25_000).filter((wait) => wait > settings.targetWaitSeconds);
    expect(late.length / 75_000).toBeLessThan(0.05);
    // 20 are busy in the mean; the rest is for what arrivals and measured service times seemed to be at their highest.
    expect(mean(Float64Array.from(settled, ({ executors }) => executors))).toBeLessThan(30);
    // Up or down at most once in a cool-down.
    const falls = settled.filter(({ desired }, at) => desired < (settled[at - 1]?.desired ?? desired));
    expect(falls.length).toBeLessThanOrEqual(untilSeconds / settings.coolDownSeconds);
  });
});

test("a day has about as many submissions as asked, a quarter of them in the contest, the same for the same seed", () => {
  const one = day(createRandom(1), 20_000);
  const other = day(createRandom(1), 20_000);
  expect(one.count).toBe(other.count);
  expect(one.atSeconds).toEqual(other.atSeconds);
  expect(Math.abs(one.count - 20_000)).toBeLessThan(600);
  const at = one.atSeconds.subarray(0, one.count);
  expect(at.every((seconds, index) => seconds >= (at[index - 1] ?? 0) && seconds < DAY_SECONDS)).toBe(true);
  const contest = at.filter((_, index) => one.contest[index] === 1);
  expect(contest.length / one.count).toBeCloseTo(CONTEST.part, 1);
  expect(contest.every((seconds) => seconds >= CONTEST.from && seconds < CONTEST.to)).toBe(true);
  expect(one.serviceSeconds.subarray(0, one.count).every((seconds) => seconds > 0.2)).toBe(true);
});

test("a heap gives numbers back in their order", () => {
  const random = createRandom(3);
  const heap = createHeap();
  const numbers = Array.from({ length: 1_000 }, () => random.next());
  for (const number of numbers) heap.put(number);
  const back = numbers.map(() => {
    const least = heap.least();
    heap.drop();
    return least;
  });
  expect(back).toEqual(numbers.toSorted((a, b) => a - b));
  expect([heap.size(), heap.least()]).toEqual([0, Infinity]);
});
