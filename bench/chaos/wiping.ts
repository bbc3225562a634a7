import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Stack } from "../../src/supervisor/stack.ts";
import type { Books } from "./audit.ts";

const isBroker = (name: string): boolean => /^nats-server(-\d+)?$/.test(name);
const isBrokerFolder = (name: string): boolean => /^nats(-server)?(-\d+)?$/.test(name);
const LOOK_MS = 50;

/**
 * Lets `submit` fill the queue while every executor stands still, lets them go on until the first verdict is there, and
 * then takes the brokers' disks away. Resolves with how many were unfinished at that moment.
 */
export async function wipeUnderQueue(deps: {
  readonly stack: Stack;
  readonly books: Books;
  readonly submit: () => Promise<void>;
  readonly tell: (line: string) => void;
}): Promise<number> {
  const { stack, books, tell } = deps;
  for (const executor of stack.executors()) stack.kill(executor, "SIGSTOP");
  try {
    await deps.submit();
    while ((await books.judgements.countDocuments({ state: "PENDING" })) > 0) await sleep(LOOK_MS);
  } finally {
    for (const executor of stack.executors()) stack.kill(executor, "SIGCONT");
  }
  const queued = await books.unfinished();
  let unfinished = queued;
  while (unfinished === undefined || unfinished === queued) {
    await sleep(LOOK_MS);
    unfinished = await books.unfinished();
  }
  tell(`${unfinished} unfinished; the brokers lose their disks`);
  await wipeBrokers(stack);
  return unfinished;
}

/**
 * Every broker dies, and its disk is empty when it comes back: streams, consumers and what they held are gone, events
 * that nobody has recorded yet included. They are stopped first, so that none can hand anything on while another one
 * loses its own. Resolves when all are ready again.
 */
async function wipeBrokers(stack: Stack): Promise<void> {
  const brokers = stack.processes().filter(({ name }) => isBroker(name));
  for (const { name } of brokers) stack.kill(name, "SIGSTOP");
  const folders = (await readdir(stack.dataFolder)).filter(isBrokerFolder);
  for (const folder of folders) {
    await rm(join(stack.dataFolder, folder, "js"), { recursive: true, force: true, maxRetries: 5 });
  }
  for (const { name } of brokers) stack.kill(name, "SIGKILL");
  for (const { name, pid } of brokers) {
    const now = (): number | undefined => stack.processes().find((one) => one.name === name)?.pid;
    while (now() === undefined || now() === pid) await sleep(LOOK_MS);
    await stack.ready(name);
  }
}
