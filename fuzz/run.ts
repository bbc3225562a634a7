import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { z } from "zod";
import { ONE_OWNER_QUEUED } from "../bench/unlimited.ts";
import { openProcesses } from "../bench/soak/processes.ts";
import { fresh, importSum, SUM } from "../bench/sum.ts";
import { connectNats } from "../src/shared/nats.ts";
import { eventStreamOf } from "../src/shared/topology.ts";
import { type Stack, startStack } from "../src/supervisor/stack.ts";
import { type Chance, createChance } from "./chance.ts";
import { frameInput, socketInput } from "./frames.ts";
import { closeHttp, graphqlInput, rawHttpInput, restInput } from "./http.ts";
import { findLeak } from "./leaks.ts";
import { messageInput } from "./messages.ts";
import { packageInput } from "./packages.ts";
import type { Input, World } from "./world.ts";

/** Of 100 inputs, so many of each kind. */
const KINDS: readonly (readonly [share: number, make: (chance: Chance, world: World) => Input])[] = [
  [42, graphqlInput],
  [20, restInput],
  [10, socketInput],
  [6, frameInput],
  [4, rawHttpInput],
  [14, messageInput],
  [4, packageInput],
];
const AT_ONCE = 12;
/** Without an answer for so long it hangs, milliseconds. */
const HANG_MS = 5_000;
const DRAIN_MS = 30_000;
/** More findings than this are counted, and not saved. */
const SAVED = 50;
/** The server's memory at the end over that after a fifth of the inputs, garbage collected, in bytes: beyond, something is kept. */
const GROWTH_BYTES = 96 * 1024 * 1024;
/** What the server says at level error about messages that it refused, as it should. */
const RIGHTLY_LOUD = /dropped a message that cannot be used/;
const ERROR_LEVEL = 50;

export interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
  /** Only this one of them. */
  readonly only?: number | undefined;
  readonly folder: string;
  readonly tell: (line: string) => void;
}

export interface FuzzReport {
  readonly inputs: number;
  readonly crashes: number;
  readonly hangs: number;
  readonly leaks: number;
  readonly perSecond: number;
}

type Trouble = "crash" | "hang" | "leak";

function makeInput(chance: Chance, world: World): Input {
  let left = chance.int(100);
  for (const [share, make] of KINDS) {
    left -= share;
    if (left < 0) return make(chance, world);
  }
  return graphqlInput(chance, world);
}

const Submitted = z.object({ id: z.string() });

async function handIn(stack: Stack, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let number = 0; number < count; number++) {
    const response = await fetch(`${stack.url}/submissions`, {
      method: "POST",
      headers: { authorization: `Bearer ${stack.keys.participant}`, "content-type": "application/json" },
      body: JSON.stringify({ problem: SUM, language: "python", source: fresh("python", `fuzz ${number}`) }),
    });
    ids.push(Submitted.parse(await response.json()).id);
  }
  return ids;
}

const LogLine = z.object({ level: z.number(), msg: z.string() });

/** What a process said that it says only when something of its own is wrong; undefined for everything else. */
function ownComplaint(line: string): string | undefined {
  if (!line.startsWith("{")) return /Debugger|^\s*$/.test(line) ? undefined : line;
  const parsed = LogLine.safeParse(JSON.parse(line));
  if (!parsed.success || parsed.data.level < ERROR_LEVEL || RIGHTLY_LOUD.test(parsed.data.msg))
    return undefined;
  return line;
}

/**
 * Sends `inputs` made from `seed` to a server process of its own stack, and counts what must not happen: crashes
 * (its end, an unhandled rejection, a 5xx, a masked error, a complaint in its log), hangs (no answer in 5 s), leaks
 * (our insides shown to a client; memory that stays). Each finding is saved in `folder` with its seed and number.
 */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { seed, folder, tell } = options;
  const counts: Record<Trouble, number> = { crash: 0, hang: 0, leak: 0 };
  const current = new Map<number, Input>();
  const saving: Promise<void>[] = [];
  let saved = 0;
  let stopping = false;
  const capabilitySecret = "the secret of a stack that is there to be fuzzed";

  const report = (trouble: Trouble, what: string, from: ReadonlyMap<number, Input>): void => {
    counts[trouble] += 1;
    tell(`${trouble}: ${what.slice(0, 600)}`);
    if (saved++ >= SAVED) return;
    const inputs = [...from].map(([number, { kind, text }]) => ({
      number,
      kind,
      text: text.slice(0, 20_000),
    }));
    const file = join(folder, `${trouble}-${seed}-${[...from.keys()][0] ?? "end"}.json`);
    saving.push(
      mkdir(folder, { recursive: true }).then(() =>
        writeFile(file, JSON.stringify({ trouble, seed, what, inputs }, null, 2)),
      ),
    );
  };

  const processes = await openProcesses();
  const stack = await startStack({
    // Takes the contest lane only, which is where forged jobs go; what is handed in stays unjudged.
    pools: [{ name: "fuzz", languages: ["python"], lanes: ["contest"], slots: 1 }],
    env: process.env,
    extraEnv: {
      server: {
        ...processes.env,
        ...ONE_OWNER_QUEUED,
        DOCKET_LIMIT_IMPORTS_AT_ONCE: String(AT_ONCE),
        DOCKET_CAPABILITY_SECRET: capabilitySecret,
        DOCKET_LOG_LEVEL: "error",
      },
      executors: { ...processes.env, DOCKET_LOG_LEVEL: "fatal" },
    },
    onEvent: ({ process: name, type, detail }) => {
      if (type === "died" && !stopping) report("crash", `${name} died: ${detail ?? ""}`, new Map(current));
    },
    onLine: (name, line) => {
      if (name !== "server" && !name.startsWith("fuzz-")) return;
      const complaint = ownComplaint(line);
      if (complaint !== undefined && !stopping)
        report("crash", `${name} says: ${complaint}`, new Map(current));
    },
  });
  const { url, user, password } = stack.nats;
  const nats = await connectNats({ url, user, password }, "fuzz");
  try {
    await importSum(stack);
    const world: World = {
      url: stack.url,
      port: Number(new URL(stack.url).port),
      keys: stack.keys,
      problem: SUM,
      submissions: await handIn(stack, 100),
      nats,
      prefix: stack.topologyPrefix,
      capabilitySecret,
    };
    const one = async (number: number): Promise<void> => {
      const input = makeInput(createChance(seed, number), world);
      current.set(number, input);
      try {
        const answer = await input.send(world, AbortSignal.timeout(HANG_MS));
        const alone = new Map([[number, input]]);
        if (answer.fault) report("crash", `${input.kind}: ${answer.text}`, alone);
        const leak = findLeak(answer.text, input.text);
        if (leak !== undefined) report("leak", `${input.kind}: ${leak}`, alone);
      } catch (error) {
        const hang = error instanceof Error && /abort|timeout/i.test(`${error.name} ${error.message}`);
        report(hang ? "hang" : "crash", `${input.kind}: ${String(error)}`, new Map([[number, input]]));
      } finally {
        current.delete(number);
      }
    };
    const memory = async (): Promise<number> => {
      const samples = await processes.sample(stack);
      return samples.find(({ name }) => name === "server")?.rssBytes ?? Number.NaN;
    };

    const startedAt = performance.now();
    const numbers =
      options.only === undefined ? Array.from({ length: options.inputs }, (_, i) => i) : [options.only];
    let early = 0;
    const queue = numbers.values();
    await Promise.all(
      Array.from({ length: AT_ONCE }, async () => {
        for (const number of queue) {
          await one(number);
          if (number === Math.floor(options.inputs / 5)) early = await memory();
          if (number > 0 && number % 5_000 === 0) tell(`${number} inputs, ${JSON.stringify(counts)}`);
        }
      }),
    );
    const seconds = (performance.now() - startedAt) / 1000;
    await nats.flush();
    await drained(stack, nats).catch((error: unknown) => report("hang", String(error), new Map()));
    // The world after it: every submission that forged events were about can be read.
    for (const id of world.submissions) {
      const response = await fetch(`${stack.url}/submissions/${id}`, {
        headers: { authorization: `Bearer ${stack.keys.jury}` },
      });
      if (response.status !== 200)
        report("crash", `submission ${id} cannot be read: ${await response.text()}`, new Map());
    }
    const grown = (await memory()) - early;
    if (options.inputs >= 10_000 && grown > GROWTH_BYTES)
      report("leak", `memory grew by ${grown} bytes`, new Map());
    tell(`memory grew by ${Math.round(grown / 2 ** 20)} MiB since the first fifth, garbage collected`);
    stopping = true;
    await Promise.all(saving);
    return {
      inputs: numbers.length,
      crashes: counts.crash,
      hangs: counts.hang,
      leaks: counts.leak,
      perSecond: Math.round(numbers.length / seconds),
    };
  } finally {
    stopping = true;
    closeHttp();
    await nats.close();
    await stack.stop();
    await processes.close();
  }
}

/** All events taken: what cannot be used is put aside and does not come again for ever. */
async function drained(stack: Stack, nats: Awaited<ReturnType<typeof connectNats>>): Promise<void> {
  const manager = await jetstreamManager(nats);
  const stream = eventStreamOf({ prefix: stack.topologyPrefix, replicas: 1 });
  for (const until = performance.now() + DRAIN_MS; ; await sleep(100)) {
    const { state } = await manager.streams.info(stream);
    if (state.messages === 0) return;
    if (performance.now() > until) throw new Error(`${state.messages} events were not taken`);
  }
}
