import { closeSync } from "node:fs";
import { bwrapCommand, type PinnedMount, shellWord } from "./bwrapargs.ts";
import { openBox, pinFolder, pinInput, pinMount, pinnedPath, pinOutput, type Realm } from "./pin.ts";
import { type PreparedShell, STATUS_FD } from "./preparedshell.ts";
import { type RunResult, SandboxFault } from "./sandbox.ts";
import { watch } from "./watch.ts";
import type { LaunchRequest } from "./wire.ts";

export interface LaunchDeps {
  readonly realm: Realm;
  readonly bwrap: string;
  /** This bubblewrap has --bind-fd (0.9 and newer). */
  readonly bindsDescriptors: boolean;
  readonly root: string;
  readonly seccompFile: string;
  readonly slots: number;
  readonly takeShell: () => PreparedShell;
  /** Does not wait: what is left of a run is an empty group. */
  readonly disposeShell: (shell: PreparedShell) => void;
  /** Milliseconds of a clock that never goes back. */
  readonly monotonicMs: () => number;
}

const SECCOMP_FD = 4;
/** A POSIX shell redirects descriptors of one digit: four are left for what is bound (wire.ts). */
const FIRST_BOUND_FD = 6;

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
    const boxFd = pinFolder(realm, request.box);
    const box = bound(boxFd, "/box");
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
      const run = { request, shell, script, box: boxFd, outputs: [stdout, stderr] as const };
      return await watch(deps, run, cancel, () => onStarted(shell));
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
