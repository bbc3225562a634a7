import type { Random } from "../chaos/random.ts";
import { serviceSeconds } from "./servicetimes.ts";

export const DAY_SECONDS = 86_400;

/** Submissions in the order they come. */
export interface Arrivals {
  readonly count: number;
  readonly atSeconds: Float64Array;
  readonly serviceSeconds: Float64Array;
  /** 1: of the contest lane, 0: practice. */
  readonly contest: Uint8Array;
}

/** A contest is on from 14:00 to 16:00 and brings a quarter of the day's submissions. */
export const CONTEST = { from: 14 * 3_600, to: 16 * 3_600, part: 0.25 } as const;
/** Of its length, how much is the rush at the start, and how many times as many come in then. */
const RUSH = { part: 1 / 12, times: 3 };

/** Submissions per second at a time of the day, for `perDay` in all: practice least at 5:00, most at 17:00. */
export function rateAt(seconds: number, perDay: number): { practice: number; contest: number } {
  const practice =
    ((1 - CONTEST.part) / DAY_SECONDS) * (1 + 0.6 * Math.sin((2 * Math.PI * (seconds / 3_600 - 11)) / 24));
  const length = CONTEST.to - CONTEST.from;
  const into = (seconds - CONTEST.from) / length;
  const mean = RUSH.part * RUSH.times + (1 - RUSH.part);
  const rush = into < RUSH.part ? RUSH.times : 1;
  const contest = into >= 0 && into < 1 ? (CONTEST.part / length) * (rush / mean) : 0;
  return { practice: practice * perDay, contest: contest * perDay };
}

/** The highest rate of a day, for thinning. */
const peakRate = (perDay: number): number => {
  let peak = 0;
  for (let second = 0; second < DAY_SECONDS; second += 60) {
    const { practice, contest } = rateAt(second, perDay);
    peak = Math.max(peak, practice + contest);
  }
  return peak * 1.01;
};

/** A day of Poisson arrivals (by thinning); about `perDay` of them. */
export function day(random: Random, perDay: number): Arrivals {
  const room = Math.ceil(perDay + 6 * Math.sqrt(perDay));
  const atSeconds = new Float64Array(room);
  const times = new Float64Array(room);
  const contest = new Uint8Array(room);
  const peak = peakRate(perDay);
  let count = 0;
  for (let now = 0; ;) {
    now -= Math.log(1 - random.next()) / peak;
    if (now >= DAY_SECONDS || count === room) break;
    const rate = rateAt(now, perDay);
    const drawn = random.next() * peak;
    if (drawn >= rate.practice + rate.contest) continue;
    atSeconds[count] = now;
    times[count] = serviceSeconds(random);
    contest[count] = drawn < rate.contest ? 1 : 0;
    count += 1;
  }
  return { count, atSeconds, serviceSeconds: times, contest };
}
