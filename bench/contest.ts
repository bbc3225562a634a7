import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { createClient } from "../src/cli/client.ts";
import { operation } from "../src/cli/operations.ts";
import { startStack } from "../src/supervisor/stack.ts";
import { handInMany, handInOne, inParallel, isDone, type Times, timesOf } from "./crowd.ts";
import { machine, median, quantile, rounded, table } from "./figures.ts";
import { makePeople } from "./soak/clients.ts";
import { importSum, SUM } from "./sum.ts";
import { ONE_OWNER } from "./unlimited.ts";

const PEOPLE = 20;
const PRACTICE = 10_000;
const SAMPLES = 60;
const EVERY_MS = 400;
const HOUR_MS = 3_600_000;

const CREATE = operation(
  `mutation ($input: CreateContestInput!) { createContest(input: $input) {
    ... on CreateContestSuccess { contest { id } } ... on UserError { code message } } }`,
  z.object({ createContest: z.object({ contest: z.object({ id: z.string() }) }) }),
);

/**
 * What a contest submission waits while ten thousand practice submissions do: from its acceptance to its start, over
 * the median time that such a job takes. Practice goes on beside it.
 */
export async function contest(): Promise<Record<string, number>> {
  console.log(machine());
  const stack = await startStack({
    pools: [{ name: "python", languages: ["python"], slots: 2, contestReserved: 1 }],
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
    const people = await makePeople(stack, PEOPLE);
    const jury = createClient({ url: stack.url, token: stack.keys.jury });
    const now = Date.now();
    await jury.request(CREATE, {
      input: {
        id: "rush",
        name: "Rush",
        startsAt: new Date(now - HOUR_MS).toISOString(),
        endsAt: new Date(now + HOUR_MS).toISOString(),
        problems: [SUM],
        open: true,
      },
    });
    const ids: string[] = [];
    await inParallel(people, 4, async ({ client }) => {
      ids.push(...(await handInMany(client, PRACTICE / PEOPLE)));
    });
    console.error(`${ids.length} practice submissions wait`);

    const begun = performance.now();
    const times: Promise<Times>[] = [];
    for (let n = 0; n < SAMPLES; n++) {
      const { client } = people[n % PEOPLE] ?? { client: jury };
      const id = await handInOne(client, { contest: "rush" });
      times.push(timesOf(client, id));
      await sleep(EVERY_MS);
    }
    const all = await Promise.all(times);
    const seconds = (performance.now() - begun) / 1000;
    // Practice keeps its share: some of it was judged meanwhile.
    const judged = await judgedOf(jury, ids);
    const waits = all.map((one) => one.waitMs);
    const serviceMs = median(all.map((one) => one.serviceMs));
    console.log(
      table([
        ["contest submission", "p50 ms", "p95 ms", "max ms"],
        ["waits", ...[0.5, 0.95, 1].map((share) => rounded(quantile(waits, share), 0))],
        [
          "is judged in",
          ...[0.5, 0.95, 1].map((s) =>
            rounded(
              quantile(
                all.map((t) => t.serviceMs),
                s,
              ),
              0,
            ),
          ),
        ],
      ]),
    );
    return {
      practiceWaiting: PRACTICE,
      serviceMsP50: rounded(serviceMs, 0),
      waitMsP95: rounded(quantile(waits, 0.95), 0),
      waitP95OverServiceTime: rounded(quantile(waits, 0.95) / serviceMs, 3),
      practiceJudgedPerMinute: rounded((judged / seconds) * 60, 0),
    };
  } finally {
    await stack.stop();
  }
}

/** How many of them are done, of a sample. */
async function judgedOf(client: ReturnType<typeof createClient>, ids: readonly string[]): Promise<number> {
  let done = 0;
  await inParallel(ids, 32, async (id) => {
    if (await isDone(client, id)) done += 1;
  });
  return done;
}
