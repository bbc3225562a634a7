import { copyFile, link, mkdir, readdir, rm } from "node:fs/promises";
import { chmod } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { SourceFile } from "../../shared/judging.ts";
import type { BlobSource } from "../work.ts";
import type { Workspace } from "./workspace.ts";

/** Links all files below `from` into the folder `to`: nothing writes through them, as /box is read-only. */
async function linkTree(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      await mkdir(target);
      await chmod(target, 0o755);
      await linkTree(source, target);
    } else if (entry.isFile()) {
      // Another file system has no links to it.
      await link(source, target).catch(() => copyFile(source, target));
    }
  }
}

/**
 * A /box for one test: the compiled program with the test's own files, which take the place of files of the same name.
 * Throws as BlobSource.open does.
 */
export async function openTestBox(
  deps: { readonly workspace: Workspace; readonly blobs: BlobSource },
  box: string,
  files: readonly SourceFile[],
): Promise<string> {
  const made = await deps.workspace.writableFolder("testbox");
  await chmod(made, 0o755);
  await linkTree(box, made);
  for (const { name, sha256 } of files) {
    const blob = await deps.blobs.open(sha256);
    try {
      const path = join(made, name);
      await mkdir(dirname(path), { recursive: true });
      // Writing into a link would change the cached program.
      await rm(path, { force: true, recursive: true });
      await copyFile(blob.path, path);
      await chmod(path, 0o644);
    } finally {
      blob.release();
    }
  }
  return made;
}
