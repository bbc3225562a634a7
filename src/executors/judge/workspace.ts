import { chmod, mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { Sandbox } from "../sandbox/sandbox.ts";

/** The folder of one job on an executor: gone, with all that programs left in it, when the job ends. */
export interface Workspace {
  /** Path of a file in it, for standard output and the like. */
  file(name: string): string;
  /** A new, empty folder in it that the slot's programs may write to; `name` only says what for. */
  writableFolder(name: string): Promise<string>;
  close(): Promise<void>;
}

const workspacesOf = (workDir: string): string => join(workDir, "jobs");

/** Throws as mkdir does, SandboxFault when it cannot be removed again. */
export async function openWorkspace(
  deps: { readonly sandbox: Pick<Sandbox, "remove">; readonly workDir: string },
  slot: number,
): Promise<Workspace> {
  await mkdir(workspacesOf(deps.workDir), { recursive: true, mode: 0o711 });
  const folder = await mkdtemp(join(workspacesOf(deps.workDir), `slot${slot}-`));
  // Passable for the slots' uids, listable by nobody else. Which of it a program sees is the sandbox's business.
  await chmod(folder, 0o711);
  let made = 0;
  return {
    file: (name) => join(folder, name),
    writableFolder: async (name) => {
      made += 1;
      const path = join(folder, `${name}-${made}`);
      await mkdir(path);
      await chmod(path, 0o777);
      return path;
    },
    close: () => deps.sandbox.remove(folder),
  };
}

/** What an executor that was killed left behind; to be called before the first job. */
export async function removeOldWorkspaces(deps: {
  readonly sandbox: Pick<Sandbox, "remove">;
  readonly workDir: string;
}): Promise<void> {
  await deps.sandbox.remove(workspacesOf(deps.workDir));
}
