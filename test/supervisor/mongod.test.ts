import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MongoClient } from "mongodb";
import { expect, test } from "vitest";
import { startMongod } from "../../src/supervisor/mongod.ts";
import { startWatchdog } from "../../src/supervisor/watchdog.ts";
import { binaryPath } from "../support/binaries.ts";

test("a data folder that was moved starts with what it holds", async () => {
  const folder = await mkdtemp(join(tmpdir(), "docket-moved-"));
  const watchdog = startWatchdog();
  const binary = binaryPath("mongod");
  const numbers = (client: MongoClient) => client.db("test").collection<{ n: number }>("numbers");
  try {
    const before = await startMongod({ watchdog }, { binary, folder: join(folder, "before") });
    const writer = new MongoClient(before.url);
    await numbers(writer).insertOne({ n: 7 }, { writeConcern: { w: "majority" } });
    await writer.close();
    await before.child.stop(10_000);
    await rename(join(folder, "before"), join(folder, "after"));

    const after = await startMongod({ watchdog }, { binary, folder: join(folder, "after") });
    const reader = new MongoClient(after.url);
    expect(await numbers(reader).findOne({}, { projection: { _id: 0 } })).toEqual({ n: 7 });
    await reader.close();
    await after.child.stop(10_000);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
