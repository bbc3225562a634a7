import {
  closeSync,
  constants,
  fchownSync,
  fchmodSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readlinkSync,
  type Stats,
} from "node:fs";
import { basename, dirname } from "node:path";

/**
 * The launcher is root and the executor is not, so a path the executor names is opened here without trusting it:
 * opened once, checked by what was really opened, and from then on used by its file descriptor only. A link or a
 * rename that happens meanwhile changes nothing.
 */

/** A request that names something it may not. The message goes to the executor. */
export class RefusedPath extends Error {
  constructor(path: string, why: string) {
    super(`${path}: ${why}`);
    this.name = "RefusedPath";
  }
}

export interface Realm {
  /** Real path of the executor's work folder. */
  readonly workDir: string;
  readonly uid: number;
}

/** Path by which another process of the launcher's namespaces can open what `fd` holds. */
export const pinnedPath = (fd: number): string => `/proc/${process.pid}/fd/${fd}`;

/** O_PATH is not in node:fs; the value is the same on all Linux machines. */
const O_PATH = 0o10000000;
const { O_RDONLY, O_RDWR, O_NOFOLLOW, O_DIRECTORY, O_CREAT, O_NONBLOCK } = constants;

function openChecked(
  realm: Realm,
  path: string,
  flags: number,
  accept: (stats: Stats) => string | undefined,
): number {
  const fd = open(path, flags | O_NOFOLLOW);
  try {
    const real = readlinkSync(`/proc/self/fd/${fd}`);
    if (real !== realm.workDir && !real.startsWith(`${realm.workDir}/`)) {
      throw new RefusedPath(path, `lies outside of ${realm.workDir}`);
    }
    const refusal = accept(fstatSync(fd));
    if (refusal !== undefined) throw new RefusedPath(path, refusal);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function open(path: string, flags: number): number {
  try {
    return openSync(path, flags, 0o644);
  } catch (error) {
    const why = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new RefusedPath(path, why);
  }
}

const ownedBy = (realm: Realm, stats: Stats): string | undefined =>
  stats.uid === realm.uid ? undefined : "is not the executor's own";

/** A folder of the executor, to be bound. */
export function pinFolder(realm: Realm, path: string): number {
  return openChecked(realm, path, O_PATH | O_DIRECTORY, (stats) => ownedBy(realm, stats));
}

/** A file or folder of the executor, to be bound read-only. */
export function pinMount(realm: Realm, path: string): number {
  return openChecked(realm, path, O_PATH, (stats) =>
    stats.isFile() || stats.isDirectory() ? ownedBy(realm, stats) : "is neither file nor folder",
  );
}

/** Lets any uid write into a folder of the executor; nobody but the sandbox can reach it. */
export function openBox(realm: Realm, path: string): void {
  const fd = openChecked(realm, path, O_RDONLY | O_DIRECTORY, (stats) => ownedBy(realm, stats));
  try {
    fchmodSync(fd, 0o777);
  } finally {
    closeSync(fd);
  }
}

/** Standard input: a plain file or a named pipe. To open a device may do things, so it is looked at first. */
export function pinInput(realm: Realm, path: string): number {
  const looked = openChecked(realm, path, O_PATH, (stats) =>
    stats.isFile() || stats.isFIFO() ? ownedBy(realm, stats) : "is neither file nor pipe",
  );
  try {
    return open(`/proc/self/fd/${looked}`, O_RDONLY | O_NONBLOCK);
  } finally {
    closeSync(looked);
  }
}

/** Standard output: made or emptied here, or a named pipe that is there; the executor's own afterwards. */
export function pinOutput(realm: Realm, path: string): number {
  const folder = openChecked(realm, dirname(path), O_PATH | O_DIRECTORY, (stats) => ownedBy(realm, stats));
  try {
    const inFolder = `/proc/self/fd/${folder}/${basename(path)}`;
    // O_RDWR keeps the opening of a pipe from waiting for its reader.
    const fd = openChecked(realm, inFolder, O_CREAT | O_RDWR | O_NONBLOCK, (stats) =>
      stats.isFIFO() || (stats.isFile() && stats.nlink === 1) ? undefined : "is neither file nor pipe",
    );
    const stats = fstatSync(fd);
    if (stats.isFile()) {
      ftruncateSync(fd, 0);
      fchownSync(fd, realm.uid, realm.uid);
      // Programs open /dev/stdout too, and then the file's own mode counts. Nobody else can reach it.
      fchmodSync(fd, 0o666);
    }
    return fd;
  } finally {
    closeSync(folder);
  }
}
