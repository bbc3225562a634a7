import { setTimeout as sleep } from "node:timers/promises";
import { startStack } from "../src/supervisor/stack.ts";
import { cancelAll, handInMany, handInOne, isDone, type Times, timesOf } from "./crowd.ts";
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

    const waits = new Map<number, number[]>([
      [SMALL, []],
      [LARGE, []],
    ]);
    for (let round = 0; round < ROUNDS; round++) {
      for (const [size, samples] of waits) {
        samples.push(...(await under(size, flooder, others)).map((one) => one.waitMs));
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
    };
  } finally {
    await stack.stop();
  }
}

/** Keeps `size` of the flooder's waiting, and tells how the others fare meanwhile. */
async function under(size: number, flooder: Person, others: readonly Person[]): Promise<Times[]> {
  const ids = await handInMany(flooder.client, size);
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
    const times: Promise<Times>[] = [];
    for (let n = 0; n < SAMPLES; n++) {
      const { client } = others[n % others.length] ?? flooder;
      const id = await handInOne(client);
      times.push(timesOf(client, id));
      await sleep(EVERY_MS);
    }
    return await Promise.all(times);
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
