import { chmod, mkdir, readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { takeName } from "./namelock.ts";

/** Another supervisor works on the folder. */
export class DataFolderTaken extends Error {}

export interface DataFolder {
  /** Real path. */
  readonly path: string;
  /** Remembers a process, so that the next start can end it should it outlive us. */
  remember(pid: number): Promise<void>;
  release(): Promise<void>;
}

/** Start time in clock ticks since boot tells a process from a later one with the same id. */
const Remembered = z.array(z.object({ pid: z.int().min(2), started: z.string() }));
type Remembered = z.infer<typeof Remembered>;

/**
 * Takes a data folder for this process, making it when missing, and ends what an earlier supervisor left running
 * there. The lock is the kernel's, so a kill -9 leaves none behind. Throws DataFolderTaken.
 */
export async function takeDataFolder(wanted: string): Promise<DataFolder> {
  await mkdir(wanted, { recursive: true });
  const path = await realpath(wanted);
  // Others must reach their own folders inside; everything in here has a mode of its own.
  await chmod(path, 0o711);
  const { dev, ino } = await stat(path);
  const lock = await takeName(`docket-data-${dev}-${ino}`);
  if (lock === undefined) throw new DataFolderTaken(`Another stack is already running on ${path}`);
  const file = join(path, "processes.json");
  await endLeftovers(file);
  const remembered: Remembered = [];
  let writing = Promise.resolve();
  return {
    path,
    remember: async (pid) => {
      const started = await startTicks(pid);
      if (started === undefined) return;
      remembered.push({ pid, started });
      const text = JSON.stringify(remembered);
      writing = writing.then(() => writeFile(file, text, { mode: 0o600 }));
      await writing;
    },
    release: async () => {
      await rm(file, { force: true });
      lock.release();
    },
  };
}

async function endLeftovers(file: string): Promise<void> {
  let left: Remembered;
  try {
    left = Remembered.parse(JSON.parse(await readFile(file, "utf8")));
  } catch {
    // None, or cut short by a crash.
    return;
  }
  for (const { pid, started } of left) {
    if ((await startTicks(pid)) !== started) continue;
    try {
      process.kill(-pid, "SIGKILL");
    } catch {
      // Ended since we looked.
    }
  }
  // Their ends are told to whoever adopted them: look until they are gone.
  for (const { pid, started } of left) {
    while ((await startTicks(pid)) === started) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Undefined when there is no such process, or only its remains (a zombie). */
export async function startTicks(pid: number): Promise<string | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, "utf8");
    // The name in brackets may hold anything, so count from its end: state is field 3, start time field 22.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
