import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { ROOT } from "./checkout.ts";
import { startTicks } from "./datafolder.ts";
import type { Stack } from "./stack.ts";

/** How the command line finds the stack that `npm start` runs: a file for its owner only. */
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

/** `.docket/run/stack.json`, or `stack.json` in DOCKET_DATA where that is set. */
const stackFile = (env: NodeJS.ProcessEnv): string => {
  const folder = env["DOCKET_DATA"] ?? "";
  return folder === "" ? join(ROOT, ".docket/run/stack.json") : join(folder, "stack.json");
};

export async function writeStackFile(stack: Stack, env: NodeJS.ProcessEnv): Promise<void> {
  const path = stackFile(env);
  const content: RunningStack = {
    url: stack.url,
    keys: stack.keys,
    mongodbUrl: stack.mongodbUrl,
    database: stack.database,
    pid: process.pid,
    started: (await startTicks(process.pid)) ?? "",
  };
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

export const removeStackFile = async (env: NodeJS.ProcessEnv): Promise<void> =>
  await rm(stackFile(env), { force: true });

/** The local stack that runs now, or undefined; a file left by a crash counts as none. */
export async function findRunningStack(env: NodeJS.ProcessEnv): Promise<RunningStack | undefined> {
  try {
    const found = StackFile.parse(JSON.parse(await readFile(stackFile(env), "utf8")));
    return (await startTicks(found.pid)) === found.started ? found : undefined;
  } catch {
    return undefined;
  }
}
