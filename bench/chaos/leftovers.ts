import { access, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** Files of jobs, fetches and uploads that outlived them, in a stack that has nothing to do. */
export async function temporaryFiles(dataFolder: string): Promise<string[]> {
  const left: string[] = [];
  const look = async (folder: string): Promise<void> => {
    for (const name of await readdir(folder).catch((): string[] => [])) left.push(join(folder, name));
  };
  for (const name of await readdir(join(dataFolder, "executors")).catch((): string[] => [])) {
    for (const folder of ["jobs", "blobs/incoming"]) await look(join(dataFolder, "executors", name, folder));
  }
  for (const name of await readdir(dataFolder)) {
    if (/^server(-\d+)?$/.test(name)) await look(join(dataFolder, name));
  }
  return left;
}

const isZombie = (stat: string): boolean => /\) Z /.test(stat);

/** What a stack that has been stopped must not leave: processes, control groups, files. `word`: its short id. */
export async function leftAfterStop(stack: { dataFolder: string; word: string }): Promise<string[]> {
  const left: string[] = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry) || Number(entry) === process.pid) continue;
    const [command = "", environ = "", stat = " Z "] = await Promise.all(
      ["cmdline", "environ", "stat"].map((file) =>
        readFile(`/proc/${entry}/${file}`, "latin1").catch(() => undefined),
      ),
    );
    const ours = [command, environ].some((text) => text.includes(stack.dataFolder));
    if (ours && !isZombie(stat))
      left.push(`process ${entry}: ${command.replaceAll("\0", " ").slice(0, 120)}`);
  }
  left.push(...(await controlGroups(stack.word)).map((path) => `control group ${path}`));
  const gone = await access(stack.dataFolder).then(
    () => false,
    () => true,
  );
  if (!gone) left.push(`folder ${stack.dataFolder}`);
  return left;
}

/** The control groups of a stack; `word`: its short id. */
export async function controlGroups(word: string): Promise<string[]> {
  const all = await groups("/sys/fs/cgroup", 3);
  return all.filter((path) => path.includes("docket-") && path.includes(word));
}

async function groups(folder: string, depth: number): Promise<string[]> {
  if (depth === 0) return [];
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const below = entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
  return [...below, ...(await Promise.all(below.map((path) => groups(path, depth - 1)))).flat()];
}
