import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Counter, type Registry } from "prom-client";
import { type WarmChild, startWarmChild } from "./warmchild.ts";
import { runIsolateTest, type Unsupported } from "./isolatetest.ts";
import type { NativeSandbox } from "./native.ts";
import { type RunRequest, type RunResult, type Sandbox, SandboxFault } from "./sandbox.ts";

export interface IsolateSandbox extends Sandbox {
  /** What happened to requests that asked for an isolate. */
  readonly stats: { isolate: number; native: number };
  close(): Promise<void>;
}

interface Slot {
  /** Serves one program only, known by its script's hash: another one gets the reserve. */
  current: { readonly program: string; readonly child: WarmChild } | undefined;
  reserve: Promise<WarmChild> | undefined;
}

/** How many runs stayed in an isolate, and how many asked for what only a real Node has. */
export function measureIsolates({ stats }: IsolateSandbox, registry: Registry): void {
  registry.registerMetric(
    new Counter({
      name: "docket_executor_javascript_runs_total",
      help: "JavaScript runs by the engine that gave the result.",
      labelNames: ["engine"],
      registers: [],
      collect() {
        this.reset();
        this.inc({ engine: "isolate" }, stats.isolate);
        this.inc({ engine: "node" }, stats.native);
      },
    }),
  );
}

/** A child that has nothing to do for so long is not kept for its program, milliseconds. */
const IDLE_MS = 2_000;
/** Most that a syntax check may take before a real Node is asked, milliseconds; the largest sources take tens. */
const CHECK_CPU_MS = 500;
const CHECK_WALL_MS = 2_000;
/** Programs remembered to need a real Node. */
const REMEMBERED = 1_000;

/**
 * Sandbox that runs JavaScript in isolates where the request allows it, everything else natively. Each slot has one
 * warm child in reserve; a child serves the tests of one program and no other, so nothing a program leaves in it
 * reaches anybody else's.
 */
export async function openIsolates(deps: {
  readonly native: NativeSandbox;
  readonly workDir: string;
  readonly slots: number;
  readonly monotonicMs: () => number;
}): Promise<IsolateSandbox> {
  const { native, monotonicMs } = deps;
  const slots = new Map<number, Slot>();
  const needNode = new Set<string>();
  const idle = new Map<number, NodeJS.Timeout>();
  const stats = { isolate: 0, native: 0 };
  let closed = false;

  const slotOf = (index: number): Slot => {
    const slot = slots.get(index) ?? { current: undefined, reserve: undefined };
    slots.set(index, slot);
    return slot;
  };
  const refill = (index: number): void => {
    const slot = slotOf(index);
    if (closed || slot.reserve !== undefined) return;
    slot.reserve = startWarmChild(deps, index);
    // Reported to whoever takes it.
    slot.reserve.catch(() => {});
  };
  const retire = (slot: Slot): void => {
    const old = slot.current;
    slot.current = undefined;
    if (old !== undefined) void old.child.kill();
  };

  async function childFor(index: number, program: string): Promise<WarmChild> {
    const slot = slotOf(index);
    if (slot.current?.program === program && !slot.current.child.dead) return slot.current.child;
    retire(slot);
    refill(index);
    const taken = slot.reserve;
    slot.reserve = undefined;
    let child = await taken;
    // Killed while it waited: one more try, then it is a fault.
    if (child === undefined || child.dead) child = await startWarmChild(deps, index);
    slot.current = { program, child };
    return child;
  }

  /** A child that holds more from its last test than it may have now is replaced. */
  async function limitedChildFor(index: number, program: string, memoryKiB: number): Promise<WarmChild> {
    for (let tries = 0; ; tries++) {
      const child = await childFor(index, program);
      try {
        await child.ready();
        await child.accounts.limitMemory(memoryKiB + child.baseKiB);
        return child;
      } catch (error) {
        retire(slotOf(index));
        if (tries > 0 || !(error instanceof SandboxFault)) throw error;
      }
    }
  }

  const runByNode = async (request: RunRequest, signal: AbortSignal): Promise<RunResult> => {
    stats.native += 1;
    return await native.run(request, signal);
  };
  const rememberNeedsNode = (program: string): void => {
    if (needNode.size >= REMEMBERED) needNode.clear();
    needNode.add(program);
  };

  async function serve(request: Served, signal: AbortSignal): Promise<RunResult | Unsupported> {
    const { slot, program, stdin, limits } = request;
    clearTimeout(idle.get(slot));
    const [input, child] = await Promise.all([
      stdin === null ? Buffer.alloc(0) : readFile(stdin),
      limitedChildFor(slot, program, limits.memoryKiB),
    ]);
    const result = await runIsolateTest(child, { ...request, input }, signal, monotonicMs);
    const retireIdle = (): void => {
      retire(slotOf(slot));
      refill(slot);
    };
    idle.set(slot, setTimeout(retireIdle, IDLE_MS));
    return result;
  }

  /** In the child that the program's tests will find; no new one is started before the first of them has ended. */
  async function check(request: Served, signal: AbortSignal): Promise<RunResult> {
    const cpuMs = Math.min(request.limits.cpuMs, CHECK_CPU_MS);
    const wallMs = Math.min(request.limits.wallMs, CHECK_WALL_MS);
    const result = await serve({ ...request, limits: { ...request.limits, cpuMs, wallMs } }, signal);
    if ("status" in result && result.status.type === "exited" && result.status.code === 0) return result;
    rememberNeedsNode(request.program);
    refill(request.slot);
    return await native.run(request, signal);
  }

  async function run(request: RunRequest, signal: AbortSignal): Promise<RunResult> {
    const { isolate, slot, box } = request;
    if (isolate === undefined) return await native.run(request, signal);
    if (isModule(isolate.script)) return await runByNode(request, signal);
    const source = await readFile(join(box, isolate.script));
    const program = createHash("sha256").update(source).digest("base64");
    if (signal.aborted) return { status: { type: "cancelled" }, cpuMs: 0, wallMs: 0, memoryKiB: 0 };
    const served = { ...request, source, program, checkOnly: isolate.checkOnly === true };
    if (served.checkOnly) return await check(served, signal);
    if (needNode.has(program)) return await runByNode(request, signal);
    const result = await serve(served, signal);
    refill(slot);
    if ("unsupported" in result) {
      rememberNeedsNode(program);
      return await runByNode(request, signal);
    }
    stats.isolate += 1;
    return result;
  }

  // What an executor that was killed has left behind.
  await native.remove(join(deps.workDir, "isolates"));
  const started = Array.from({ length: deps.slots }, async (_, slot) => {
    refill(slot);
    await slotOf(slot).reserve;
  });
  await Promise.all(started);
  return {
    stats,
    run,
    remove: (directory) => native.remove(directory),
    async close() {
      closed = true;
      for (const timer of idle.values()) clearTimeout(timer);
      for (const slot of slots.values()) {
        await slot.current?.child.dispose();
        await (await slot.reserve?.catch(() => undefined))?.dispose();
      }
    },
  };
}

interface Served extends RunRequest {
  readonly source: Buffer;
  readonly program: string;
  readonly checkOnly: boolean;
}

const isModule = (script: string): boolean => script.endsWith(".mjs");
