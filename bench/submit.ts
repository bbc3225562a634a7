import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { jetstreamManager } from "@nats-io/jetstream";
import { connectNats } from "../src/shared/nats.ts";
import { subjects } from "../src/shared/topology.ts";
import { type Stack, startStack } from "../src/supervisor/stack.ts";
import { machine, median, quantile, rounded, table } from "./figures.ts";
import { type Load, LoadReport } from "./load.ts";
import type { RawLoad } from "./raw.ts";
import { importSum, SUM } from "./sum.ts";
import { ONE_OWNER_QUEUED } from "./unlimited.ts";

const run = promisify(execFile);

const AT_ONCE = 32;
const PER_SECOND = 200;
/** Raw and Docket take turns, so that both see the same machine. */
const ROUNDS = 3;
const CLOSED = { mode: { type: "closed", atOnce: AT_ONCE }, warmUpMs: 2_000, measureMs: 5_000 } as const;
const OPEN = { mode: { type: "open", perSecond: PER_SECOND }, warmUpMs: 3_000, measureMs: 15_000 } as const;

async function inOwnProcess(script: "load.ts" | "raw.ts", load: Load | RawLoad): Promise<LoadReport> {
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, script), JSON.stringify(load)], {
    maxBuffer: 64 * 1024 * 1024,
  });
  return LoadReport.parse(JSON.parse(stdout));
}

/** The bytes of a job that waits in the queue: what the raw loop publishes too. */
async function oneJob(stack: Stack): Promise<string> {
  const { url, user, password } = stack.nats;
  const connection = await connectNats({ url, user, password }, "bench");
  try {
    const topology = { prefix: stack.topologyPrefix, replicas: 1 };
    const manager = await jetstreamManager(connection);
    const stream = await manager.streams.find(subjects.jobsOfLanguage(topology, "python"));
    const { state } = await manager.streams.info(stream);
    const message = await manager.streams.getMessage(stream, { seq: state.last_seq });
    if (message === null) throw new Error("there is no job in the queue");
    return message.string();
  } finally {
    await connection.close();
  }
}

const perSecond = ({ count, seconds }: LoadReport): number => count / seconds;

/**
 * How fast submissions are taken in: the public GraphQL API over HTTP, closed loop and open loop, beside a raw
 * insert + publish of the same documents on the same mongod and nats-server: once with an insert for each document
 * (`ratioToRaw`), once with inserts grouped as Docket's (`ratioToRawGrouped`). No executors: jobs wait in the queue.
 */
export async function submit(): Promise<Record<string, number>> {
  console.log(machine());
  const stack = await startStack({
    pools: [],
    env: process.env,
    // All jobs stay in the queue, so the window must hold them; else most would wait in MongoDB unpublished.
    extraEnv: {
      server: { ...ONE_OWNER_QUEUED, DOCKET_LIMIT_DISPATCH_WINDOW: "1000000", DOCKET_LOG_LEVEL: "error" },
    },
    onLine: (name, line) => {
      if (name === "server") console.error(`${name}: ${line}`);
    },
  });
  try {
    await importSum(stack);
    const docket = { url: stack.url, token: stack.keys.participant, problem: SUM, language: "python" };
    // Warms the server up, and leaves a submission for the raw loop to copy.
    await inOwnProcess("load.ts", { ...docket, ...CLOSED, measureMs: 1_000 });
    const raw = {
      mongodbUrl: stack.mongodbUrl,
      database: stack.database,
      natsUrl: stack.nats.url,
      natsUser: stack.nats.user ?? "",
      natsPassword: stack.nats.password ?? "",
      prefix: "raw_",
      language: "python",
      job: await oneJob(stack),
      grouped: false,
    } as const;

    const rates = { raw: [] as number[], grouped: [] as number[], docket: [] as number[] };
    const latencies = { raw: [] as number[], grouped: [] as number[], docket: [] as number[] };
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, measure] of [
        ["raw", () => inOwnProcess("raw.ts", { ...raw, ...CLOSED })],
        ["grouped", () => inOwnProcess("raw.ts", { ...raw, ...CLOSED, grouped: true })],
        ["docket", () => inOwnProcess("load.ts", { ...docket, ...CLOSED })],
      ] as const) {
        const report = await measure();
        rates[name].push(perSecond(report));
        latencies[name].push(...report.latencies);
      }
    }
    const openRaw = await inOwnProcess("raw.ts", { ...raw, ...OPEN });
    const openDocket = await inOwnProcess("load.ts", { ...docket, ...OPEN });

    const row = (name: string, rate: number, samples: readonly number[]): (string | number)[] => [
      name,
      rounded(rate, 0),
      ...[0.5, 0.9, 0.99, 1].map((share) => rounded(quantile(samples, share))),
    ];
    const rawPerSecond = median(rates.raw);
    const groupedPerSecond = median(rates.grouped);
    const docketPerSecond = median(rates.docket);
    console.log(
      table([
        ["submit", "per second", "p50 ms", "p90 ms", "p99 ms", "max ms"],
        row(`raw, one insert a document, ${AT_ONCE} at once`, rawPerSecond, latencies.raw),
        row(`raw, inserts grouped as Docket's, ${AT_ONCE} at once`, groupedPerSecond, latencies.grouped),
        row(`Docket, ${AT_ONCE} at once`, docketPerSecond, latencies.docket),
        row(`raw, one insert a document, ${PER_SECOND}/s open loop`, perSecond(openRaw), openRaw.latencies),
        row(`Docket, ${PER_SECOND}/s open loop`, perSecond(openDocket), openDocket.latencies),
      ]),
    );
    return {
      rawPerSecond: rounded(rawPerSecond, 0),
      submissionsPerSecond: rounded(docketPerSecond, 0),
      ratioToRaw: rounded(docketPerSecond / rawPerSecond, 3),
      rawGroupedPerSecond: rounded(groupedPerSecond, 0),
      ratioToRawGrouped: rounded(docketPerSecond / groupedPerSecond, 3),
      p50MsClosed: rounded(quantile(latencies.docket, 0.5)),
      p99MsClosed: rounded(quantile(latencies.docket, 0.99)),
      p50MsAt200PerSecond: rounded(quantile(openDocket.latencies, 0.5)),
      p99MsAt200PerSecond: rounded(quantile(openDocket.latencies, 0.99)),
    };
  } finally {
    await stack.stop();
  }
}
