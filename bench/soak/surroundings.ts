import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { jetstreamManager } from "@nats-io/jetstream";
import { connectNats } from "../../src/shared/nats.ts";
import type { Stack } from "../../src/supervisor/stack.ts";
import type { Books } from "../chaos/audit.ts";
import { controlGroups, temporaryFiles } from "../chaos/leftovers.ts";

/** What a stack holds outside of its processes' memory at one moment. */
export interface Surroundings {
  readonly streams: Readonly<
    Record<string, { readonly messages: number; readonly bytes: number; readonly consumers: number }>
  >;
  /** Bytes on disk by folder of the data folder. */
  readonly disk: Readonly<Record<string, number>>;
  /** Documents by collection. */
  readonly documents: Readonly<Record<string, number>>;
  readonly temporaryFiles: number;
  readonly controlGroups: number;
}

const run = promisify(execFile);

async function streamsOf(stack: Stack): Promise<Surroundings["streams"]> {
  const nats = await connectNats(stack.nats, "soak", { timeout: 10_000 });
  try {
    const jsm = await jetstreamManager(nats, { timeout: 10_000 });
    const streams: Record<string, Surroundings["streams"][string]> = {};
    for await (const { config, state } of jsm.streams.list()) {
      const { messages, bytes, consumer_count: consumers } = state;
      streams[config.name] = { messages, bytes, consumers };
    }
    return streams;
  } finally {
    await nats.close();
  }
}

async function diskOf(folder: string): Promise<Record<string, number>> {
  const sizes: Record<string, number> = {};
  const entries = await readdir(folder, { withFileTypes: true });
  for (const { name } of entries.filter((entry) => entry.isDirectory())) {
    // Files come and go while it counts: what it could count is printed all the same.
    const { stdout } = await run("du", ["-sk", join(folder, name)]).catch(
      (error: unknown) => error as { stdout: string },
    );
    sizes[name] = Number(stdout.split("\t")[0]) * 1024;
  }
  return sizes;
}

async function documentsOf({ db }: Books): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { name } of await db.listCollections({}, { nameOnly: true }).toArray()) {
    if (!name.startsWith("system.")) counts[name] = await db.collection(name).estimatedDocumentCount();
  }
  return counts;
}

export async function lookAround(stack: Stack, books: Books): Promise<Surroundings> {
  const word = stack.executors()[0]?.split("-").at(-1) ?? "";
  return {
    streams: await streamsOf(stack),
    disk: await diskOf(stack.dataFolder),
    documents: await documentsOf(books),
    temporaryFiles: (await temporaryFiles(stack.dataFolder)).length,
    controlGroups: (await controlGroups(word)).length,
  };
}
