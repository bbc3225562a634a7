import { jetstreamManager } from "@nats-io/jetstream";
import { MongoClient } from "mongodb";
import { expect, test } from "vitest";
import { connectNats } from "../../src/shared/nats.ts";
import { eventStreamConfig } from "../../src/shared/topology.ts";
import { namespace } from "../support/namespace.ts";

const space = namespace();

test("the shared services are a replica set with transactions and a JetStream", async () => {
  const client = new MongoClient(space.mongodbUrl);
  const connection = await connectNats({ url: space.natsUrl }, "test");
  try {
    const collection = client.db(space.database).collection<{ n: number }>("numbers");
    await client.withSession((session) =>
      session.withTransaction(async () => {
        await collection.insertOne({ n: 1 }, { session });
      }),
    );
    expect(await collection.countDocuments()).toBe(1);
    const manager = await jetstreamManager(connection);
    const made = await manager.streams.add(eventStreamConfig(space.topology));
    expect(made.config.storage).toBe("file");
  } finally {
    await Promise.all([client.close(), connection.close()]);
  }
});

test("a namespace removes its database and its streams", async () => {
  await space.remove();
  const client = new MongoClient(space.mongodbUrl);
  const connection = await connectNats({ url: space.natsUrl }, "test");
  try {
    const { databases } = await client.db("admin").admin().listDatabases({ nameOnly: true });
    expect(databases.map((database) => database.name)).not.toContain(space.database);
    const manager = await jetstreamManager(connection);
    const names: string[] = [];
    for await (const name of manager.streams.names()) names.push(name);
    expect(names.filter((name) => name.startsWith(space.topology.prefix))).toEqual([]);
  } finally {
    await Promise.all([client.close(), connection.close()]);
  }
});
