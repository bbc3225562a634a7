import { machine, rounded, table } from "./figures.ts";
import { startWorkStack } from "./works.ts";

const JOBS = 5_100;
const MS = 100;
const EXECUTORS = 2;
const SLOTS = 3;

/**
 * How much of their slots' time goes into jobs: 5,100 jobs of 0.1 s on 6 slots take 85 s when nothing is lost between
 * one and the next. From the moment they are let go to the last result in MongoDB.
 */
export async function dispatch(): Promise<Record<string, number>> {
  console.log(machine());
  const works = await startWorkStack({ executors: EXECUTORS, slots: SLOTS });
  try {
    await works.run(60, MS);
    const seconds = await works.run(JOBS, MS);
    const slots = EXECUTORS * SLOTS;
    const idealSeconds = (JOBS * MS) / 1_000 / slots;
    const efficiency = idealSeconds / seconds;
    console.log(
      table([
        ["jobs of 0.1 s", "slots", "ideal s", "s", "efficiency"],
        [JOBS, slots, idealSeconds, rounded(seconds, 2), rounded(efficiency, 3)],
      ]),
    );
    return {
      jobs: JOBS,
      slots,
      idealSeconds,
      seconds: rounded(seconds, 2),
      efficiency: rounded(efficiency, 3),
    };
  } finally {
    await works.stop();
  }
}
