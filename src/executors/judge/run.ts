import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import {
  type RunRequest,
  type RunResult,
  type RunStatus,
  type Sandbox,
  SandboxFault,
} from "../sandbox/sandbox.ts";

/** A run that came to an end of its own: being stopped is no result. */
export interface FinishedRun extends RunResult {
  readonly status: Exclude<RunStatus, { readonly type: "cancelled" }>;
}

/**
 * Runs to the end; throws the signal's reason when it was stopped, SandboxFault when it could not be run.
 *
 * A program that ended by a SIGKILL which no limit of ours sent may have sent it to itself, or somebody outside did: the
 * kernel for want of memory on the whole machine, an operator. The two look the same, so it is run once more: one that
 * kills itself does so again.
 */
export async function runToEnd(
  sandbox: Pick<Sandbox, "run">,
  request: RunRequest,
  signal: AbortSignal,
): Promise<FinishedRun> {
  const run = await runOnce(sandbox, request, signal);
  const killed = run.status.type === "signalled" && run.status.signal === "SIGKILL";
  return killed ? await runOnce(sandbox, request, signal) : run;
}

async function runOnce(
  sandbox: Pick<Sandbox, "run">,
  request: RunRequest,
  signal: AbortSignal,
): Promise<FinishedRun> {
  signal.throwIfAborted();
  const result = await sandbox.run(request, signal);
  const { status } = result;
  if (status.type === "cancelled") {
    signal.throwIfAborted();
    throw new SandboxFault("the sandbox says that a run was stopped which nobody stopped");
  }
  return { ...result, status };
}

/**
 * Text of a file that a program may have made: only a regular file, no link followed, no pipe waited for, at most
 * `characters`. Empty when there is none. Control characters are taken out, so that it can be shown anywhere.
 */
export function readWords(path: string, characters: number): string {
  return readFile(path, (fd) => readClean(fd, 0, characters * 4).slice(0, characters));
}

/**
 * As `readWords`, but of a longer text its beginning and its end: which of them says what went wrong depends on the
 * language.
 */
export function readBothEnds(path: string, characters: number): string {
  return readFile(path, (fd, sizeBytes) => {
    const whole = readClean(fd, 0, characters * 4);
    if (whole.length <= characters && sizeBytes <= characters * 4) return whole;
    const half = Math.floor(characters / 2);
    const end = readClean(fd, Math.max(0, sizeBytes - half * 4), half * 4);
    return `${whole.slice(0, half)}\n…\n${end.slice(-half)}`;
  });
}

function readFile(path: string, read: (fd: number, sizeBytes: number) => string): string {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return "";
  }
  try {
    const stats = fstatSync(fd);
    return stats.isFile() ? read(fd, stats.size) : "";
  } finally {
    closeSync(fd);
  }
}

function readClean(fd: number, from: number, bytes: number): string {
  const buffer = Buffer.alloc(bytes);
  const text = buffer.toString("utf8", 0, readSync(fd, buffer, 0, buffer.length, from));
  return stripVTControlCharacters(text).replaceAll(/(?![\n\t])\p{Cc}/gu, "");
}
