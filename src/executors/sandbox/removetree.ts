import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import { pinFolder, type Realm } from "./pin.ts";

/**
 * Removes a folder with all that programs left in it, as root, without ever following a link: every folder is opened
 * with O_NOFOLLOW and worked on through its descriptor. Folders below it are first moved up to its top, so that no
 * depth of nesting runs out of descriptors or path length. A folder that is not there is no error.
 */
export function removeTree(realm: Realm, path: string): void {
  if (!existsSync(dirname(path))) return;
  const parent = pinFolder(realm, dirname(path));
  try {
    const target = `/proc/self/fd/${parent}/${basename(path)}`;
    const top = openFolder(target);
    if (top === undefined) return;
    try {
      if (fstatSync(top).uid !== realm.uid) throw new Error(`${path}: is not the executor's own`);
      let moved = 0;
      for (let folders = emptyFolder(top, top, () => moved++); folders.length > 0;) {
        folders = folders.flatMap((name) => {
          const fd = openFolder(`/proc/self/fd/${top}/${name}`);
          if (fd === undefined) return [];
          try {
            return emptyFolder(fd, top, () => moved++);
          } finally {
            closeSync(fd);
            rmdirSync(`/proc/self/fd/${top}/${name}`);
          }
        });
      }
    } finally {
      closeSync(top);
    }
    rmdirSync(target);
  } finally {
    closeSync(parent);
  }
}

function openFolder(path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Unlinks what is no folder, moves folders to `top` under new names, and returns those. */
function emptyFolder(fd: number, top: number, next: () => number): string[] {
  const folders: string[] = [];
  const here = `/proc/self/fd/${fd}`;
  for (const entry of readdirSync(here, { withFileTypes: true, encoding: "buffer" })) {
    const path = Buffer.concat([Buffer.from(`${here}/`), entry.name]);
    if (entry.isDirectory()) {
      const name = `.docket-removing-${process.pid}-${next()}`;
      renameSync(path, `/proc/self/fd/${top}/${name}`);
      folders.push(name);
    } else {
      unlinkSync(path);
    }
  }
  return folders;
}
