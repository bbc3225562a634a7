import { closeSync, fstatSync, readSync } from "node:fs";
import { constants } from "node:os";
import { bwrapCommand, type PinnedMount, shellWord } from "./bwrapargs.ts";
import { openBox, pinFolder, pinInput, pinMount, pinnedPath, pinOutput, type Realm } from "./pin.ts";
import { type PreparedShell, STATUS_FD } from "./preparedshell.ts";
import { type RunResult, type RunStatus, SandboxFault } from "./sandbox.ts";
import type { LaunchRequest } from "./wire.ts";

export interface LaunchDeps {
  readonly realm: Realm;
  readonly bwrap: string;
  /** This bubblewrap has --bind-fd (0.9 and newer). */
  readonly bindsDescriptors: boolean;
  readonly root: string;
  readonly seccompFile: string;
  readonly slotUidBase: number;
  readonly slots: number;
  readonly takeShell: () => PreparedShell;
  /** Does not wait: what is left of a run is an empty group. */
  readonly disposeShell: (shell: PreparedShell) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly monotonicMs: () => number;
}

/** CPU time is looked at this often: a program overshoots its limit by half of it on average, milliseconds. */
const POLL_MS = 10;
/** How long killed processes may take to be gone, milliseconds: large memories take their time. */
const REAP_MS = 10_000;
const SECCOMP_FD = 4;
/** A POSIX shell redirects descriptors of one digit: four are left for what is bound (wire.ts). */
const FIRST_BOUND_FD = 6;
/** bubblewrap itself and the first process of its PID namespace. */
const BWRAP_PROCESSES = 2;

/**
 * Runs one program and accounts for it. `cancel` aborts it. Everything the run opened is closed when the promise
 * settles; nothing of it is alive then.
 */
export async function launch(
  deps: LaunchDeps,
  request: LaunchRequest,
  cancel: AbortSignal,
  onStarted: (shell: PreparedShell) => void,
): Promise<RunResult> {
  if (request.slot >= deps.slots) throw new SandboxFault(`there is no slot ${request.slot}`);
  const fds: number[] = [];
  const pin = (fd: number): number => {
    fds.push(fd);
    return fd;
  };
  try {
    const { realm } = deps;
    if (request.boxWritable) openBox(realm, request.box);
    const redirects: string[] = [];
    const bound = (fd: number, inside: string): PinnedMount => {
      const source = pinnedPath(pin(fd));
      if (!deps.bindsDescriptors) return { source, fd: undefined, inside };
      const number = FIRST_BOUND_FD + redirects.length;
      redirects.push(`${number}<${source}`);
      return { source, fd: number, inside };
    };
    const box = bound(pinFolder(realm, request.box), "/box");
    const mounts = request.mounts.map(({ host, inside }) => bound(pinMount(realm, host), inside));
    const scratch =
      request.scratch === undefined
        ? undefined
        : bound(pinFolder(realm, request.scratch.host), request.scratch.inside);
    const stdin = request.stdin === null ? undefined : pin(pinInput(realm, request.stdin));
    const stdout = request.stdout === null ? undefined : pin(pinOutput(realm, request.stdout));
    const stderr = request.stderr === null ? undefined : pin(pinOutput(realm, request.stderr));
    const command = bwrapCommand({
      bwrap: deps.bwrap,
      root: deps.root,
      uid: deps.slotUidBase + request.slot,
      request,
      box,
      mounts,
      scratch,
      seccompFd: SECCOMP_FD,
      statusFd: STATUS_FD,
    });
    const script = [
      // A limit that cannot be set ends the shell: the run is a fault then.
      "set -e",
      // In blocks of 512 bytes, and one more so that an output of just the limit is told from one beyond it.
      `ulimit -f ${request.limits.outputKiB * 2 + 1}`,
      "ulimit -c 0",
      "ulimit -n 1024",
      "ulimit -s unlimited",
      `exec ${command.map(shellWord).join(" ")} <${at(stdin)} >${at(stdout)} 2>${at(stderr)} ${SECCOMP_FD}<${shellWord(deps.seccompFile)} ${redirects.join(" ")}`,
    ].join("\n");

    const shell = deps.takeShell();
    try {
      return await watch(deps, request, cancel, shell, script, [stdout, stderr], onStarted);
    } finally {
      // Only one that was never told to go is alive still: then its group cannot be removed before this.
      shell.process.kill("SIGKILL");
      deps.disposeShell(shell);
    }
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

const at = (fd: number | undefined): string => (fd === undefined ? "/dev/null" : pinnedPath(fd));

async function watch(
  deps: LaunchDeps,
  { limits }: LaunchRequest,
  cancel: AbortSignal,
  shell: PreparedShell,
  script: string,
  outputs: readonly [number | undefined, number | undefined],
  onStarted: (shell: PreparedShell) => void,
): Promise<RunResult> {
  const { group } = shell;
  let cause: RunStatus | undefined;
  const stop = (status: RunStatus): void => {
    cause ??= status;
    // The outer bubblewrap takes the whole PID namespace with it; the group catches what is not yet in one.
    group.kill();
    shell.process.kill("SIGKILL");
  };
  const onCancel = (): void => stop({ type: "cancelled" });

  group.limit({ memoryKiB: limits.memoryKiB, processes: limits.processes + BWRAP_PROCESSES });
  const cpuBefore = group.cpuNs();
  const oomBefore = group.oomKills();
  const startedAt = deps.monotonicMs();
  const cpuMs = (): number => (group.cpuNs() - cpuBefore) / 1e6;
  const poll = setInterval(() => {
    if (group.oomKills() > oomBefore) stop({ type: "limit", limit: "memory" });
    else if (cpuMs() > limits.cpuMs) stop({ type: "limit", limit: "cpu" });
    // Runtimes such as the JVM ignore SIGXFSZ and write on for ever.
    else if (wroteTooMuch(outputs, limits)) stop({ type: "limit", limit: "output" });
    else if (deps.monotonicMs() - startedAt > limits.wallMs) stop({ type: "limit", limit: "wall" });
  }, POLL_MS);
  cancel.addEventListener("abort", onCancel, { once: true });
  try {
    if (cancel.aborted) onCancel();
    else {
      shell.go(script);
      onStarted(shell);
    }
    const exit = await shell.ended;
    const wallMs = deps.monotonicMs() - startedAt;
    clearInterval(poll);
    await reap(deps, shell);
    const used = { cpuMs: cpuMs(), wallMs, memoryKiB: group.peakKiB() };
    if (group.oomKills() > oomBefore && cause?.type !== "cancelled")
      cause = { type: "limit", limit: "memory" };
    const status = cause ?? naturalEnd(exit.code, shell, outputs, limits, used.cpuMs);
    return { status, ...used };
  } finally {
    clearInterval(poll);
    cancel.removeEventListener("abort", onCancel);
  }
}

/** Waits until no process of the run is left, killing what its end did not take along. */
async function reap(deps: LaunchDeps, { group }: PreparedShell): Promise<void> {
  const since = deps.monotonicMs();
  while (!group.isEmpty()) {
    if (deps.monotonicMs() - since > REAP_MS) throw new SandboxFault("processes of a run cannot be killed");
    group.kill();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** What bubblewrap's exit code says, once no limit was the cause. */
function naturalEnd(
  code: number | null,
  shell: PreparedShell,
  outputs: readonly [number | undefined, number | undefined],
  limits: LaunchRequest["limits"],
  cpuMs: number,
): RunStatus {
  // bubblewrap reports an exit code only when the program was started.
  if (code === null || !shell.status().includes('"exit-code"')) {
    throw new SandboxFault(`bubblewrap ended with ${code ?? "a signal"}: ${head(outputs[1])}`);
  }
  const signal = code > 128 ? SIGNALS.get(code - 128) : undefined;
  if (signal === "SIGXFSZ" || wroteTooMuch(outputs, limits)) {
    return { type: "limit", limit: "output" };
  }
  if (cpuMs > limits.cpuMs) return { type: "limit", limit: "cpu" };
  // bubblewrap passes a signal on as 128 + its number, as shells do.
  return signal === undefined ? { type: "exited", code } : { type: "signalled", signal };
}

const SIGNALS: ReadonlyMap<number, string> = new Map(
  // Some have two names; the first is the usual one.
  Object.entries(constants.signals)
    .toReversed()
    .map(([name, number]) => [number, name]),
);

const wroteTooMuch = (
  outputs: readonly (number | undefined)[],
  limits: Pick<LaunchRequest["limits"], "outputKiB">,
): boolean => outputs.some((fd) => sizeOf(fd) > limits.outputKiB * 1024);

function sizeOf(fd: number | undefined): number {
  const stats = fd === undefined ? undefined : fstatSync(fd);
  return stats?.isFile() === true ? stats.size : 0;
}

/** First words of the program's error output, where bubblewrap and setpriv say what they could not do. */
function head(fd: number | undefined): string {
  if (fd === undefined || !fstatSync(fd).isFile()) return "no error output";
  const bytes = Buffer.alloc(500);
  return bytes.toString("utf8", 0, readSync(fd, bytes, 0, bytes.length, 0)).trim();
}
