import { setTimeout as sleep } from "node:timers/promises";
import { startStack } from "../src/supervisor/stack.ts";
import { cancelAll, guessOf, handInMany, handInOne, isDone, timesOf } from "./crowd.ts";
import { machine, quantile, rounded, table } from "./figures.ts";
import { makePeople, type Person } from "./soak/clients.ts";
import { importSum } from "./sum.ts";
import { ONE_OWNER } from "./unlimited.ts";

const SMALL = 100;
const LARGE = 5_000;
const ROUNDS = 3;
/** Submissions of the others under each flood and in each round, and the time between two, milliseconds. */
const SAMPLES = 30;
const EVERY_MS = 300;
const TOP_UP_MS = 100;
/** Of the flood itself every so manieth is asked how long it will wait, of the first so many. */
const GUESS_EVERY = 20;
const GUESSES_TO = 100;
const LEAST_WAIT_MS = 100;
/** Judged ones are looked for in steps of so many. */
const STEP = 8;

/**
 * What others wait while one owner floods a language: with a hundred of his submissions waiting all the time, and with
 * five thousand. Rounds take turns, so that both see the same machine.
 */
export async function fairness(): Promise<Record<string, number>> {
  console.log(machine());
  const stack = await startStack({
    pools: [{ name: "python", languages: ["python"], slots: 2 }],
    env: process.env,
    extraEnv: {
      server: { ...ONE_OWNER, DOCKET_LOG_LEVEL: "error" },
      executors: { DOCKET_LOG_LEVEL: "error" },
    },
    onLine: (name, line) => {
      if (!["mongod", "nats-server"].includes(name)) console.error(`${name}: ${line}`);
    },
  });
  try {
    await importSum(stack);
    const [flooder, ...others] = await makePeople(stack, 11);
    if (flooder === undefined) throw new Error("nobody is there");
    await Promise.all(others.map(async ({ client }) => await timesOf(client, await handInOne(client))));

    const errors: number[] = [];
    const waits = new Map<number, number[]>([
      [SMALL, []],
      [LARGE, []],
    ]);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [size, samples] of waits) {
        const { waits: seen, errors: off } = await under(size, flooder, others);
        samples.push(...seen);
        errors.push(...off);
        console.error(`round ${round + 1}: ${size} waiting: done`);
      }
    }
    console.log(
      table([
        ["others wait under a flood of", "p50 ms", "p95 ms", "max ms"],
        ...[...waits].map(([size, samples]) => [
          String(size),
          ...[0.5, 0.95, 1].map((share) => rounded(quantile(samples, share), 0)),
        ]),
      ]),
    );
    const p95 = (size: number): number => quantile(waits.get(size) ?? [], 0.95);
    return {
      othersP95MsUnder100: rounded(p95(SMALL), 0),
      othersP95MsUnder5000: rounded(p95(LARGE), 0),
      othersP95Ratio: rounded(p95(LARGE) / p95(SMALL), 3),
      estimates: errors.length,
      estimateErrorP50: rounded(quantile(errors, 0.5), 3),
    };
  } finally {
    await stack.stop();
  }
}

/** How far off what was told was, as a part of the whole wait from then on. */
async function errorOf({ client }: Person, id: string): Promise<() => Promise<number[]>> {
  const askedAtMs = Date.now();
  const guess = await guessOf(client, id);
  return async () => {
    const { startedAtMs } = await timesOf(client, id);
    const wait = startedAtMs - askedAtMs;
    // What starts while it is asked has no wait to be wrong about.
    return guess === undefined || wait < LEAST_WAIT_MS
      ? []
      : [Math.abs(guess.startsAtMs - startedAtMs) / wait];
  };
}

/** Keeps `size` of the flooder's waiting, and tells how the others fare meanwhile. */
async function under(
  size: number,
  flooder: Person,
  others: readonly Person[],
): Promise<{ readonly waits: number[]; readonly errors: number[] }> {
  const ids = await handInMany(flooder.client, size);
  const asked = ids.slice(0, GUESSES_TO).filter((_, i) => i % GUESS_EVERY === GUESS_EVERY - 1);
  const guesses = await Promise.all(asked.map((id) => errorOf(flooder, id)));
  const over = new AbortController();
  let judged = 0;
  const topUp = (async () => {
    // The flood is judged in its order, so the first that is not done tells how many are.
    while (!over.signal.aborted) {
      const left = await stillWaiting(flooder, ids, judged);
      judged = ids.length - left;
      ids.push(...(await handInMany(flooder.client, Math.max(0, size - left))));
      await sleep(TOP_UP_MS, undefined, { signal: over.signal }).catch(() => undefined);
    }
  })();
  try {
    const times: Promise<{ readonly waitMs: number; readonly errors: number[] }>[] = [];
    for (let n = 0; n < SAMPLES; n++) {
      const person = others[n % others.length] ?? flooder;
      const id = await handInOne(person.client);
      const error = await errorOf(person, id);
      times.push(timesOf(person.client, id).then(async ({ waitMs }) => ({ waitMs, errors: await error() })));
      await sleep(EVERY_MS);
    }
    const all = await Promise.all(times);
    const flood = await Promise.all(guesses.map((error) => error()));
    return {
      waits: all.map((one) => one.waitMs),
      errors: [...all.flatMap((one) => one.errors), ...flood.flat()],
    };
  } finally {
    over.abort();
    await topUp;
    await cancelAll(flooder.client, ids.slice(Math.max(0, judged - 16)));
  }
}

async function stillWaiting({ client }: Person, ids: readonly string[], from: number): Promise<number> {
  let judged = from;
  for (; judged < ids.length; judged += STEP) {
    const id = ids[Math.min(ids.length - 1, judged + STEP - 1)];
    if (id === undefined || !(await isDone(client, id))) break;
  }
  return ids.length - Math.min(ids.length, judged);
}
