import type { LanguageId } from "../../shared/language.ts";
import type { Gpu } from "../../shared/pool.ts";
import type { ReadOnlyMount } from "../sandbox/sandbox.ts";

/**
 * Something that makes a toolchain quicker and that it works without: made once for a machine, by root and from our
 * own text alone, in the background. Programs see it read-only in `preparedInside(name)`, empty until it is there.
 */
export interface Prepared {
  /** One word; of one form for each language. */
  readonly name: string;
  /** Shell script run in a new folder that holds `files`; may leave more than is kept. */
  readonly script: string;
  readonly files: Readonly<Record<string, string>>;
  /** Paths, in that folder, of what the script must have made. */
  readonly keep: readonly string[];
  /** What else it hangs on: versions, sizes and times of what goes into it. */
  readonly stamp: readonly unknown[];
}

export const preparedInside = (name: string): string => `/opt/prepared/${name}`;

/** A toolchain as found on this machine. */
export interface Toolchain {
  /** First line of the compiler's or interpreter's own version output. */
  readonly version: string;
  /** Programs by the name the definition uses, e.g. { "g++": "/usr/bin/g++" }. */
  readonly programs: Readonly<Record<string, string>>;
  /** What the sandbox must show beyond its base tree (/usr, /lib, …). */
  readonly mounts: readonly ReadOnlyMount[];
  readonly env: Readonly<Record<string, string>>;
  readonly prepared?: readonly Prepared[];
}

export interface CompileInput {
  readonly toolchain: Toolchain;
  /** Names of the source files in /box. */
  readonly files: readonly string[];
  readonly entryPoint?: string | undefined;
}

export interface RunInput extends CompileInput {
  readonly memoryMiB: number;
}

/** Where to look for toolchains; what `find` may know of the machine besides its files. */
export interface Places {
  /** PATH of the executor. */
  readonly path?: string | undefined;
  readonly home?: string | undefined;
  /** The Node that runs Docket itself. */
  readonly node: string;
  /** Folder for what a toolchain has to have built once, such as Go's standard library. Kept over restarts. */
  readonly cacheDir: string;
  /** The devices of an executor of the profile gpu. */
  readonly gpu?: Gpu | undefined;
}

/** A language is data: how to find it, compile it, run it, and prove that it works. */
export interface LanguageDefinition {
  readonly id: LanguageId;
  /** Debian packages that bring it: named when it is missing. */
  readonly packages: readonly string[];
  /** Finds the toolchain on this machine; undefined when it is not there. */
  find(places: Places): Promise<Toolchain | undefined>;
  /** Command run in /box that leaves the program in /box; undefined when nothing is compiled (a syntax check counts). */
  compile?(input: CompileInput): readonly [string, ...string[]];
  /** Command that runs the program; its /box holds what compile left. */
  run(input: RunInput): readonly [string, ...string[]];
  /** For engine "isolate": script in /box to try in isolated-vm before `run` is; undefined when `run` alone will do. */
  isolateScript?(input: CompileInput): string | undefined;
  /** Likewise for `compile`, which only checks: script whose syntax to check in the isolate's process before. */
  isolateCheck?(input: CompileInput): string | undefined;
  /** "isolate": run in isolated-vm when the program asks for nothing it lacks. */
  readonly engine: "native" | "isolate";
  /** Multiplies the problem's time limit. */
  readonly timeFactor: number;
  /** Added to the problem's memory limit for the runtime itself, MiB. */
  readonly memoryBaseMiB: number;
  /** Processes and threads one run may have. */
  readonly processes: number;
  /** Reads a line with a number n from stdin and prints n + 1: compiled and run at start-up. Empty: there is none. */
  readonly selfTest: string;
}
