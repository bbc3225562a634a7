import { setTimeout as sleep } from "node:timers/promises";
import { type Client, createClient } from "../src/cli/client.ts";
import { isFinal, SUBMIT } from "../src/cli/operations.ts";
import { startStack } from "../src/supervisor/stack.ts";
import { machine, quantile, rounded, table } from "./figures.ts";
import { fresh, importSum, SUM } from "./sum.ts";
import { ONE_OWNER } from "./unlimited.ts";

const COMPILES = 200;
const TRICKLE_MS = 400;
const BEFORE_COUNT = 75;
/** Compiled programs that somebody is followed on at once: each takes a subscription. */
const WATCHED_AT_ONCE = 100;

/** Another program each time, and one that a compiler has to work at. */
const heavy = (mark: string): string => `// ${mark}
#include <bits/stdc++.h>
int main() {
  long a, b;
  std::cin >> a >> b;
  std::regex digits("-?[0-9]+");
  std::map<std::string, std::vector<std::function<long(long)>>> table;
  table["sum"].push_back([a](long x) { return x + a; });
  if (!std::regex_match(std::to_string(a), digits)) return 1;
  std::cout << table["sum"].front()(b) << "\\n";
}
`;

async function handIn(client: Client, language: "cpp" | "python", source: string): Promise<string> {
  const { submitSubmission: answer } = await client.request(SUBMIT, {
    input: { problem: SUM, language, source },
  });
  if ("submission" in answer) return answer.submission.id;
  throw new Error(`not accepted: ${answer.code} ${answer.message}`);
}

/** Throws when it is not accepted. */
async function accepted(client: Client, id: string): Promise<void> {
  for await (const view of client.watch(id)) {
    if (isFinal(view) && view.verdict !== "AC") throw new Error(`${id} ended ${view.state} ${view.verdict}`);
  }
}

/** Python programs one after the other by the clock until told to stop; milliseconds from submit to verdict of each. */
async function trickle(client: Client, name: string, until: { over: boolean }): Promise<number[]> {
  const samples: number[] = [];
  const running: Promise<void>[] = [];
  for (let number = 0; !until.over; number++) {
    const begin = performance.now();
    const one = async (): Promise<void> => {
      await accepted(client, await handIn(client, "python", fresh("python", `${name} ${number}`)));
      samples.push(performance.now() - begin);
    };
    running.push(one());
    await sleep(TRICKLE_MS);
  }
  await Promise.all(running);
  return samples;
}

/** Hands in all compiles at once; how many a minute came to their verdict. */
async function compiles(client: Client, name: string): Promise<number> {
  const begin = performance.now();
  const ids = await Promise.all(
    Array.from({ length: COMPILES }, (_, number) => handIn(client, "cpp", heavy(`${name} ${number}`))),
  );
  const waiting = ids.values();
  await Promise.all(
    Array.from({ length: WATCHED_AT_ONCE }, async () => {
      for (const id of waiting) await accepted(client, id);
    }),
  );
  return (COMPILES * 60_000) / (performance.now() - begin);
}

/**
 * 200 heavy C++ programs at once beside a steady trickle of Python ones: what the storm does to the trickle
 * (`pythonP95Ratio`: the 95th percentile from submit to verdict, during it over before it), and what the trickle costs
 * the storm (`compilesPerMinuteRatio`: with it over without).
 */
export async function storm(): Promise<Record<string, number>> {
  console.log(machine());
  const stack = await startStack({
    pools: [
      { name: "scripts", languages: ["python"], slots: 2 },
      { name: "compiled", languages: ["cpp"], slots: 2, profile: "compile-heavy" },
    ],
    env: process.env,
    extraEnv: {
      server: { ...ONE_OWNER, DOCKET_LOG_LEVEL: "error" },
      executors: { DOCKET_LOG_LEVEL: "error" },
    },
    onLine: (name, line) => {
      if (!["mongod", "nats-server"].includes(name)) console.error(`${name}: ${line}`);
    },
  });
  const client = createClient({ url: stack.url, token: stack.keys.participant });
  // Connections of their own: the storm's many updates must not stand before the trickle's.
  const stormy = createClient({ url: stack.url, token: stack.keys.participant });
  try {
    await importSum(stack);
    const warm = { over: false };
    const warming = trickle(client, "warm", warm);
    await accepted(stormy, await handIn(stormy, "cpp", heavy("warm")));
    warm.over = true;
    await warming;

    const calm = { over: false };
    const calmly = trickle(client, "before", calm);
    await sleep(BEFORE_COUNT * TRICKLE_MS);
    calm.over = true;
    const before = await calmly;

    const alone = await compiles(stormy, "alone");
    const storming = { over: false };
    const duringStorm = trickle(client, "during", storming);
    const together = await compiles(stormy, "together");
    storming.over = true;
    const during = await duringStorm;

    const p95 = (samples: readonly number[]): number => quantile(samples, 0.95);
    const figures = {
      pythonP95BeforeMs: rounded(p95(before)),
      pythonP95DuringMs: rounded(p95(during)),
      pythonP95Ratio: rounded(p95(during) / p95(before), 3),
      compilesPerMinuteAlone: rounded(alone),
      compilesPerMinuteTogether: rounded(together),
      compilesPerMinuteRatio: rounded(together / alone, 3),
    };
    const row = (name: string, samples: readonly number[]): (string | number)[] => [
      name,
      samples.length,
      ...[0.5, 0.95, 1].map((share) => rounded(quantile(samples, share))),
    ];
    console.log(
      table([
        ["Python, submit to verdict", "count", "p50 ms", "p95 ms", "max ms"],
        row("before the storm", before),
        row(`beside ${COMPILES} compiles`, during),
      ]),
    );
    console.log(
      table([
        ["C++ verdicts", "per minute"],
        ["the storm alone", figures.compilesPerMinuteAlone],
        ["beside the trickle", figures.compilesPerMinuteTogether],
      ]),
    );
    return figures;
  } finally {
    await Promise.all([client.close(), stormy.close()]);
    await stack.stop();
  }
}
