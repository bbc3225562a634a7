import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { ROOT } from "./checkout.ts";
import { startTicks } from "./datafolder.ts";
import type { Stack } from "./stack.ts";

/** How the command line finds the stack that `npm start` runs: in `.docket/run/stack.json`, for its owner only. */
const StackFile = z.object({
  url: z.string(),
  keys: z.object({ participant: z.string(), jury: z.string(), admin: z.string() }),
  mongodbUrl: z.string(),
  database: z.string(),
  pid: z.int(),
  /** Tells the process from a later one with the same id. */
  started: z.string(),
});
export type RunningStack = z.infer<typeof StackFile>;

export const STACK_FILE = join(ROOT, ".docket/run/stack.json");

export async function writeStackFile(stack: Stack): Promise<void> {
  const content: RunningStack = {
    url: stack.url,
    keys: stack.keys,
    mongodbUrl: stack.mongodbUrl,
    database: stack.database,
    pid: process.pid,
    started: (await startTicks(process.pid)) ?? "",
  };
  await mkdir(dirname(STACK_FILE), { recursive: true, mode: 0o700 });
  await writeFile(`${STACK_FILE}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(`${STACK_FILE}.new`, STACK_FILE);
}

export const removeStackFile = async (): Promise<void> => await rm(STACK_FILE, { force: true });

/** The local stack that runs now, or undefined; a file left by a crash counts as none. */
export async function findRunningStack(): Promise<RunningStack | undefined> {
  try {
    const found = StackFile.parse(JSON.parse(await readFile(STACK_FILE, "utf8")));
    return (await startTicks(found.pid)) === found.started ? found : undefined;
  } catch {
    return undefined;
  }
}
