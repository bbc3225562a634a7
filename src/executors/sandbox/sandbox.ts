/**
 * The one interface to running somebody else's program. `native` implements it for every process;
 * `isolate` runs JavaScript in isolated-vm inside a native sandbox that stays warm.
 */

/** A host directory or file made visible read-only at the same or another path. */
export interface ReadOnlyMount {
  readonly host: string;
  readonly inside: string;
}

export interface RunLimits {
  /** CPU time of all processes together, milliseconds. */
  readonly cpuMs: number;
  /** Catches sleepers, milliseconds. */
  readonly wallMs: number;
  /** All processes together, tmpfs included, KiB. */
  readonly memoryKiB: number;
  /** Largest single file, stdout included, KiB. */
  readonly outputKiB: number;
  /** Processes and threads at once. */
  readonly processes: number;
}

export interface RunRequest {
  /** Which of the executor's slots this belongs to: decides uid, cgroup and box. From 0. */
  readonly slot: number;
  /** Program (path as seen inside) and arguments. */
  readonly argv: readonly [string, ...string[]];
  readonly env: Readonly<Record<string, string>>;
  /** Host directory that becomes the working directory /box inside. */
  readonly box: string;
  /** False: /box is read-only. */
  readonly boxWritable: boolean;
  /** Beyond what the sandbox was opened with: at most two, at or below /data and /feedback only. */
  readonly mounts: readonly ReadOnlyMount[];
  /**
   * One more host directory, made visible at `inside` and writable: where a validator leaves its feedback while its
   * program in /box is read-only. The caller has made it with mode 0777.
   */
  readonly scratch?: { readonly host: string; readonly inside: string };
  /** Host path read as standard input; null is /dev/null. */
  readonly stdin: string | null;
  /** Host path that gets standard output; null throws it away. Made or emptied by the sandbox. */
  readonly stdout: string | null;
  readonly stderr: string | null;
  readonly limits: RunLimits;
  /**
   * Set for a JavaScript program: this script in /box may run in an isolate instead of as `argv`. When it asks for
   * what the isolate does not offer, `argv` is run after all; the result is of the same shape. `checkOnly`: it is not
   * run; exit code 0 says that it is a script without a syntax error, and of anything else `argv` is the judge.
   */
  readonly isolate?: { readonly script: string; readonly checkOnly?: boolean };
}

export type RunStatus =
  | { readonly type: "exited"; readonly code: number }
  | { readonly type: "signalled"; readonly signal: string }
  | { readonly type: "limit"; readonly limit: "cpu" | "wall" | "memory" | "output" }
  /** The caller's signal was aborted. Says nothing about the program. */
  | { readonly type: "cancelled" };

export interface RunResult {
  readonly status: RunStatus;
  readonly cpuMs: number;
  readonly wallMs: number;
  /** Peak of all processes together. */
  readonly memoryKiB: number;
}

/** Something of ours went wrong: never a verdict. */
export class SandboxFault extends Error {
  /** The whole machine is in trouble, and no program can have brought that about. */
  readonly shared: boolean;
  constructor(message: string, options?: ErrorOptions & { readonly shared?: boolean }) {
    super(message, options);
    this.name = "SandboxFault";
    this.shared = options?.shared ?? false;
  }
}

export interface Sandbox {
  /** Runs one program to its end. Throws SandboxFault when it could not be run or measured. */
  run(request: RunRequest, signal: AbortSignal): Promise<RunResult>;
  /**
   * Removes a directory below the work folder and all that programs left in it, whoever owns it, without following
   * links. Absent is fine. Throws SandboxFault.
   */
  remove(directory: string): Promise<void>;
}
