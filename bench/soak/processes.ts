import { chmod, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Stack } from "../../src/supervisor/stack.ts";
import { nodeOptions } from "./collect.ts";

/** One process of the stack at one moment. */
export interface ProcessSample {
  readonly name: string;
  readonly pid: number;
  /** Resident memory; of our own processes just after all garbage was collected, bytes. */
  readonly rssBytes: number;
  /** What is alive in V8's heap and in buffers after the collection, bytes; undefined where it cannot be asked. */
  readonly heapBytes: number | undefined;
  /** Open file handles. */
  readonly handles: number;
  readonly threads: number;
}

/** Looks at all long-lived processes of a stack. */
export interface Processes {
  /** What each process of the stack must be started with. */
  readonly env: NodeJS.ProcessEnv;
  sample(stack: Stack): Promise<ProcessSample[]>;
  close(): Promise<void>;
}

const Collected = z.object({ heapBytes: z.int(), externalBytes: z.int() });

const COLLECT_MS = 10_000;
const LOOK_MS = 20;

const statusOf = (status: string, field: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? Number.NaN);

async function look(name: string, pid: number, heapBytes: number | undefined): Promise<ProcessSample> {
  const [status, handles] = await Promise.all([
    readFile(`/proc/${pid}/status`, "utf8"),
    readdir(`/proc/${pid}/fd`),
  ]);
  return {
    name,
    pid,
    rssBytes: statusOf(status, "VmRSS") * 1024,
    heapBytes,
    handles: handles.length,
    threads: statusOf(status, "Threads"),
  };
}

/** The process among an executor's children that stays root for its whole life. */
async function launcherOf(executor: number): Promise<number | undefined> {
  const children = await readFile(`/proc/${executor}/task/${executor}/children`, "utf8").catch(() => "");
  for (const child of children.split(" ").filter((word) => word !== "")) {
    const command = await readFile(`/proc/${child}/cmdline`, "utf8").catch(() => "");
    if (command.includes("sandbox/launcher.ts")) return Number(child);
  }
  return undefined;
}

export async function openProcesses(): Promise<Processes> {
  const folder = await mkdtemp(join(tmpdir(), "docket-soak-"));
  // Servers and executors write into it under users of their own.
  await chmod(folder, 0o1777);

  /** Undefined when the process does not answer: the caller reads its memory as it is. */
  async function collect(pid: number): Promise<number | undefined> {
    const file = join(folder, String(pid));
    await rm(file, { force: true });
    process.kill(pid, "SIGWINCH");
    for (const until = performance.now() + COLLECT_MS; performance.now() < until; await sleep(LOOK_MS)) {
      const text = await readFile(file, "utf8").catch(() => undefined);
      if (text === undefined) continue;
      const { heapBytes, externalBytes } = Collected.parse(JSON.parse(text));
      return heapBytes + externalBytes;
    }
    throw new Error(`process ${pid} did not say what it holds within ${COLLECT_MS} ms`);
  }

  return {
    env: { NODE_OPTIONS: nodeOptions(folder) },
    async sample(stack) {
      const samples: ProcessSample[] = [];
      for (const { name, pid } of stack.processes()) {
        if (pid === undefined) throw new Error(`${name} is not running`);
        const ours = !/^(mongod|nats-server)/.test(name);
        samples.push(await look(name, pid, ours ? await collect(pid) : undefined));
        if (!stack.executors().includes(name)) continue;
        const launcher = await launcherOf(pid);
        if (launcher === undefined) throw new Error(`${name} has no launcher`);
        samples.push(await look(`${name} launcher`, launcher, await collect(launcher)));
      }
      // Names without the stack's own word, which differs from run to run.
      const word = stack.executors()[0]?.split("-").at(-1) ?? "";
      return samples.map((one) => ({ ...one, name: one.name.replace(`-${word}`, "") }));
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
