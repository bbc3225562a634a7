import { fstatSync, lstatSync, readFileSync, readSync } from "node:fs";
import { constants } from "node:os";
import { pidsIn, readNumber, type RunGroup } from "./cgroup.ts";
import { pinnedPath } from "./pin.ts";
import type { PreparedShell } from "./preparedshell.ts";
import { type RunResult, type RunStatus, SandboxFault } from "./sandbox.ts";
import { createWallTime, runDelayMs, tooBusy } from "./walltime.ts";
import type { LaunchRequest } from "./wire.ts";

/** Everything of a run that was made ready for it. */
export interface ReadyRun {
  readonly request: LaunchRequest;
  readonly shell: PreparedShell;
  /** What the shell is to do. */
  readonly script: string;
  /** The descriptor of what the program sees as /box. */
  readonly box: number;
  /** Descriptors of standard output and error output. */
  readonly outputs: readonly [number | undefined, number | undefined];
}

/** CPU time is looked at this often: a program overshoots its limit by half of it on average, milliseconds. */
const POLL_MS = 10;
/** How long killed processes may take to be gone, milliseconds: large memories take their time, on a busy machine more. */
const REAP_MS = 60_000;
/** How long it may take until the program has begun, milliseconds of time that counts (walltime.ts). */
const BEGIN_MS = 30_000;
/** bubblewrap itself and the first process of its PID namespace. */
const BWRAP_PROCESSES = 2;

/**
 * Lets a run go, holds its limits, and says how it ended. Whatever the program had no part in (it did not come to
 * begin, the machine was too busy or out of memory) is thrown as a SandboxFault. Nothing of the run is alive then.
 */
export async function watch(
  deps: { readonly monotonicMs: () => number },
  run: ReadyRun,
  cancel: AbortSignal,
  onStarted: () => void,
): Promise<RunResult> {
  const { shell, outputs } = run;
  const { limits } = run.request;
  const { group } = shell;
  let cause: RunStatus | SandboxFault | undefined;
  const stop = (why: RunStatus | SandboxFault): void => {
    cause ??= why;
    // The outer bubblewrap takes the whole PID namespace with it; the group catches what is not yet in one.
    group.kill();
    shell.process.kill("SIGKILL");
  };
  const onCancel = (): void => stop({ type: "cancelled" });

  group.limit({ memoryKiB: limits.memoryKiB, processes: limits.processes + BWRAP_PROCESSES });
  const cpuBefore = group.cpuNs();
  const oomBefore = group.oomKills();
  const cpuMs = (): number => (group.cpuNs() - cpuBefore) / 1e6;
  const wall = createWallTime(
    { monotonicMs: deps.monotonicMs, runDelayMs: () => runDelayMs(pidsIn(group.procsFile)) },
    limits.wallMs,
  );
  let begun = false;
  let beforeMs = 0;

  /** Until the program has begun, no time is its own. */
  const hasBegun = (): boolean => {
    begun ||= shell.entered() !== undefined;
    if (!begun) {
      beforeMs += wall.ms();
      wall.startOver();
      if (beforeMs > BEGIN_MS) stop(new SandboxFault("the program did not come to begin"));
    }
    return begun;
  };
  const holdTime = (): void => {
    if (cpuMs() > limits.cpuMs) stop({ type: "limit", limit: "cpu" });
    const state = wall.state();
    if (state === "over") stop({ type: "limit", limit: "wall" });
    else if (state === "tooBusy") stop(tooBusy());
  };
  const poll = setInterval(() => {
    wall.tick();
    if (group.oomKills() > oomBefore) stop(outOfMemory(group));
    // Runtimes such as the JVM ignore SIGXFSZ and write on for ever.
    else if (wroteTooMuch(outputs, limits)) stop({ type: "limit", limit: "output" });
    else if (hasBegun()) holdTime();
  }, POLL_MS);
  cancel.addEventListener("abort", onCancel, { once: true });
  try {
    if (cancel.aborted) onCancel();
    else {
      shell.go(run.script);
      onStarted();
    }
    const exit = await shell.ended;
    wall.tick();
    clearInterval(poll);
    await reap(deps, shell);
    const used = { cpuMs: cpuMs(), wallMs: wall.ms(), memoryKiB: group.peakKiB() };
    const cancelled = cause !== undefined && "type" in cause && cause.type === "cancelled";
    if (group.oomKills() > oomBefore && !cancelled) cause = outOfMemory(group);
    const status = cause ?? naturalEnd(run, exit.code, used.cpuMs);
    if (status instanceof SandboxFault) throw status;
    return { status, ...used };
  } finally {
    clearInterval(poll);
    cancel.removeEventListener("abort", onCancel);
  }
}

/** The kernel killed for want of memory: the run's own limit, or that of the whole machine (or our container). */
function outOfMemory(group: RunGroup): RunStatus | SandboxFault {
  if (group.reachedMemoryLimit()) return { type: "limit", limit: "memory" };
  return new SandboxFault("the machine ran out of memory, and the kernel killed the program for it");
}

/** Waits until no process of the run is left, killing what its end did not take along. */
async function reap(deps: { readonly monotonicMs: () => number }, { group }: PreparedShell): Promise<void> {
  const since = deps.monotonicMs();
  while (!group.isEmpty()) {
    if (deps.monotonicMs() - since > REAP_MS) throw new SandboxFault("processes of a run cannot be killed");
    group.kill();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** What bubblewrap's exit code says, once no limit was the cause. */
function naturalEnd(
  { request: { argv, limits }, shell, box, outputs }: ReadyRun,
  code: number | null,
  cpuMs: number,
): RunStatus {
  // bubblewrap reports an exit code only when it started something; the entry program then says whether it came to run.
  if (code === null || !shell.status().includes('"exit-code"')) {
    throw new SandboxFault(`bubblewrap ended with ${code ?? "a signal"}: ${head(outputs[1])}`);
  }
  const entered = shell.entered();
  if (entered === undefined) {
    throw new SandboxFault(`the entry program did not begin (exit code ${code}): ${head(outputs[1])}`);
  }
  if (entered.failed !== undefined) {
    const { step, errno } = entered.failed;
    if (step === "exec" && isBadProgram(argv[0], box, errno)) return { type: "exited", code: NOT_EXECUTABLE };
    const what =
      step === "exec" ? `${argv[0]} cannot be started` : `step ${step} of the entry program failed`;
    throw new SandboxFault(`${what}: ${ERRORS.get(errno) ?? `error ${errno}`}`);
  }
  const signal = code > 128 ? SIGNALS.get(code - 128) : undefined;
  if (signal === "SIGXFSZ" || wroteTooMuch(outputs, limits)) {
    return { type: "limit", limit: "output" };
  }
  if (cpuMs > limits.cpuMs) return { type: "limit", limit: "cpu" };
  if (code !== 0 && (shell.group.lacksProcesses() || isCrowded())) {
    throw new SandboxFault("the machine had no room for more processes, and the program ended badly");
  }
  // bubblewrap passes a signal on as 128 + its number, as shells do.
  return signal === undefined ? { type: "exited", code } : { type: "signalled", signal };
}

/** With more of the threads that the kernel can have, it is soon going to refuse them. */
const CROWDED = 0.95;

function isCrowded(): boolean {
  const threads = Number(/\/(\d+) /.exec(readFileSync("/proc/loadavg", "utf8"))?.[1] ?? 0);
  const most = Math.min(readNumber("/proc/sys/kernel/threads-max"), readNumber("/proc/sys/kernel/pid_max"));
  return threads > CROWDED * most;
}

/** As a shell says it. */
const NOT_EXECUTABLE = 126;
const { ENOENT, ENOEXEC, EINVAL } = constants.errno;
/** What the kernel says of a file that is no program, or names a loader that is not there. ELIBBAD is 80. */
const BAD_PROGRAM: ReadonlySet<number> = new Set([ENOENT, ENOEXEC, EINVAL, 80]);

/** A program of the box that is there and is none: whoever wrote it can bring that about. */
function isBadProgram(program: string, box: number, errno: number): boolean {
  if (!program.startsWith("/box/") || !BAD_PROGRAM.has(errno)) return false;
  try {
    return lstatSync(`${pinnedPath(box)}/${program.slice("/box/".length)}`).isFile();
  } catch {
    return false;
  }
}

const namesOf = (numbers: object): ReadonlyMap<number, string> =>
  new Map(
    // Some have two names; the first is the usual one.
    Object.entries(numbers)
      .toReversed()
      .map(([name, number]) => [Number(number), name]),
  );
const SIGNALS = namesOf(constants.signals);
const ERRORS = namesOf(constants.errno);

const wroteTooMuch = (
  outputs: readonly (number | undefined)[],
  limits: Pick<LaunchRequest["limits"], "outputKiB">,
): boolean => outputs.some((fd) => sizeOf(fd) > limits.outputKiB * 1024);

function sizeOf(fd: number | undefined): number {
  const stats = fd === undefined ? undefined : fstatSync(fd);
  return stats?.isFile() === true ? stats.size : 0;
}

/** First words of the program's error output, where bubblewrap says what it could not do. */
function head(fd: number | undefined): string {
  if (fd === undefined || !fstatSync(fd).isFile()) return "no error output";
  const bytes = Buffer.alloc(500);
  return bytes.toString("utf8", 0, readSync(fd, bytes, 0, bytes.length, 0)).trim();
}
