import { entryPath } from "./roottree.ts";
import type { LaunchRequest } from "./wire.ts";

export interface PinnedMount {
  /** A path that opens what the launcher has pinned. */
  readonly source: string;
  /** Descriptor on which bubblewrap gets it; undefined for one too old to take descriptors. */
  readonly fd: number | undefined;
  readonly inside: string;
}

/** What the launcher has opened for one run: paths of pinned descriptors, and fixed facts. */
export interface BwrapInput {
  readonly bwrap: string;
  /** Prepared root tree. */
  readonly root: string;
  readonly request: LaunchRequest;
  readonly box: PinnedMount;
  readonly mounts: readonly PinnedMount[];
  readonly scratch: PinnedMount | undefined;
  readonly seccompFd: number;
  readonly statusFd: number;
}

/** Only what it takes to become the slot's uid (entry.ts); the program itself has none. */
const ENTRY_CAPABILITIES = ["CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"];

/**
 * The command of one run. bubblewrap works as root without a user namespace (Ubuntu forbids those to the
 * unprivileged); the entry program inside gives up root before the judged program's first instruction.
 */
export function bwrapCommand(input: BwrapInput): string[] {
  const { request } = input;
  return [
    [input.bwrap],
    ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"],
    ["--hostname", "docket", "--die-with-parent", "--new-session"],
    ["--seccomp", String(input.seccompFd), "--json-status-fd", String(input.statusFd)],
    ["--cap-drop", "ALL", ...ENTRY_CAPABILITIES.flatMap((name) => ["--cap-add", name])],
    ["--clearenv", ...Object.entries(request.env).flatMap(([name, value]) => ["--setenv", name, value])],
    // dev-bind adds no flags of its own, so nothing in the tree needs a remount.
    ["--dev-bind", input.root, "/", "--proc", "/proc"],
    // Its pages count as memory of the run; the size only keeps one file from being larger than that.
    ["--perms", "1777", "--size", String(request.limits.memoryKiB * 1024), "--tmpfs", "/tmp"],
    bind(request.boxWritable ? "--bind" : "--ro-bind", input.box),
    mountPoints(input),
    input.mounts.flatMap((mount) => bind("--ro-bind", mount)),
    input.scratch === undefined ? [] : bind("--bind", input.scratch),
    ["--chdir", "/box", "--"],
    [entryPath(request.slot), ...request.argv],
  ].flat();
}

/**
 * bubblewrap resolves a path by itself, so a pinned one could be changed under it; given a descriptor, it makes sure
 * that what it mounted is what the descriptor holds.
 */
const bind = (option: string, { source, fd, inside }: PinnedMount): string[] =>
  fd === undefined ? [option, source, inside] : [`${option}-fd`, String(fd), inside];

/** The tree is read-only: where something is mounted below one of its empty folders, that becomes a small tmpfs. */
function mountPoints({ mounts, scratch }: BwrapInput): string[] {
  const inside = [...mounts, ...(scratch === undefined ? [] : [scratch])].map((mount) => mount.inside);
  const parents = inside
    .filter((path) => path.lastIndexOf("/") > 0)
    .map((path) => `/${path.split("/")[1] ?? ""}`);
  return [...new Set(parents)].flatMap((parent) => ["--size", "65536", "--tmpfs", parent]);
}

/** One word of a POSIX shell command. */
export const shellWord = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
