import { closeSync, constants, openSync, writeSync } from "node:fs";
import { z } from "zod";
import type { WarmChild } from "./warmchild.ts";
import type { RunLimits, RunResult, RunStatus } from "./sandbox.ts";
import { createWallTime, tooBusy } from "./walltime.ts";

export interface IsolateTest {
  readonly source: Buffer;
  /** Only the syntax is checked: nothing of the source is run. */
  readonly checkOnly: boolean;
  readonly input: Buffer;
  readonly stdout: string | null;
  readonly stderr: string | null;
  readonly limits: RunLimits;
}

/** The program asked for something that only a real Node has, or does not compile; nothing it did counts. */
export interface Unsupported {
  readonly unsupported: string;
}

const POLL_MS = 10;
/** A process that V8 ended with this much of its memory used ended for want of more. */
const NEARLY = 0.9;

const End = z.discriminatedUnion("type", [
  z.object({ type: z.literal("exited"), code: z.int().min(0).max(255) }),
  z.object({ type: z.literal("unsupported"), what: z.string() }),
]);

/**
 * Runs one program in a fresh isolate of a warm child that is ready and has its memory limit. All limits are held from here; a child that had to be killed,
 * or ended by itself, is a verdict of the program.
 */
export async function runIsolateTest(
  child: WarmChild,
  test: IsolateTest,
  signal: AbortSignal,
  monotonicMs: () => number,
): Promise<RunResult | Unsupported> {
  const { source, input, checkOnly, limits } = test;
  const sinks = { "1": openSink(test.stdout), "2": openSink(test.stderr) };
  const { accounts } = child;
  const delayBefore = accounts.runDelayMs();
  const wall = createWallTime(
    { monotonicMs, runDelayMs: () => accounts.runDelayMs() - delayBefore },
    limits.wallMs,
  );
  const cpuBefore = accounts.cpuMs();
  let memoryKiB = accounts.memoryKiB();
  const decided = Promise.withResolvers<RunStatus | Unsupported>();
  const onAbort = (): void => decided.resolve({ type: "cancelled" });
  const poll = setInterval(() => {
    wall.tick();
    if (child.dead) return;
    memoryKiB = Math.max(memoryKiB, accounts.memoryKiB());
    if (accounts.cpuMs() - cpuBefore > limits.cpuMs) decided.resolve({ type: "limit", limit: "cpu" });
    const state = wall.state();
    if (state === "over") decided.resolve({ type: "limit", limit: "wall" });
    else if (state === "tooBusy") decided.reject(tooBusy());
  }, POLL_MS);
  signal.addEventListener("abort", onAbort, { once: true });
  child.onFrame = ({ type, body }) => {
    if (type === "X") {
      const end = End.safeParse(parseJson(body));
      if (!end.success) decided.resolve({ type: "exited", code: 1 });
      else decided.resolve(end.data.type === "unsupported" ? { unsupported: end.data.what } : end.data);
    } else if (type === "1" || type === "2") {
      const sink = sinks[type];
      sink.bytes += body.length;
      if (sink.bytes > limits.outputKiB * 1024) decided.resolve({ type: "limit", limit: "output" });
      else if (sink.fd !== undefined) {
        try {
          writeSync(sink.fd, body);
        } catch (error) {
          // Our disk is full: no matter of the program's.
          decided.reject(error);
        }
      }
    }
  };
  child.ended.then(
    (result) => decided.resolve(statusOfDead(result, memoryKiB - child.baseKiB, limits)),
    decided.reject,
  );
  try {
    if (signal.aborted) onAbort();
    child.send([
      `${JSON.stringify({ source: source.length, input: input.length, checkOnly })}\n`,
      source,
      input,
    ]);
    const status = await decided.promise;
    wall.tick();
    const wallMs = wall.ms();
    if ("unsupported" in status) return status;
    if (status.type !== "exited") await child.kill();
    const ended = child.dead ? await child.ended : undefined;
    const cpuMs = (ended?.cpuMs ?? accounts.cpuMs()) - cpuBefore;
    memoryKiB = Math.max(0, Math.max(memoryKiB, ended?.memoryKiB ?? accounts.memoryKiB()) - child.baseKiB);
    const overtime = status.type === "exited" && cpuMs > limits.cpuMs;
    return { status: overtime ? { type: "limit", limit: "cpu" } : status, cpuMs, wallMs, memoryKiB };
  } catch (error) {
    // It may still be at it.
    await child.kill();
    throw error;
  } finally {
    clearInterval(poll);
    signal.removeEventListener("abort", onAbort);
    child.onFrame = undefined;
    for (const { fd } of Object.values(sinks)) if (fd !== undefined) closeSync(fd);
  }
}

/** Not opened through the launcher: the path is the executor's own, and no program can have touched it. */
function openSink(path: string | null): { readonly fd: number | undefined; bytes: number } {
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  return {
    fd: path === null ? undefined : openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o644),
    bytes: 0,
  };
}

function statusOfDead({ status }: RunResult, seenKiB: number, limits: RunLimits): RunStatus {
  if (status.type !== "exited" && status.type !== "signalled") return status;
  // V8 ends the process itself when it cannot get memory.
  if (seenKiB > limits.memoryKiB * NEARLY) return { type: "limit", limit: "memory" };
  return status.type === "signalled" ? status : { type: "signalled", signal: "SIGABRT" };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
