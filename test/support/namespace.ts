import { randomBytes } from "node:crypto";
import { jetstreamManager } from "@nats-io/jetstream";
import { MongoClient } from "mongodb";
import { afterAll, inject } from "vitest";
import { connectNats } from "../../src/shared/nats.ts";
import type { Topology } from "../../src/shared/topology.ts";

export interface Namespace {
  readonly mongodbUrl: string;
  readonly natsUrl: string;
  /** Name of the suite's own database. */
  readonly database: string;
  /** The suite's own streams and subjects. */
  readonly topology: Topology;
  /** Drops the database and deletes the streams. Called after the suite by itself. */
  remove(): Promise<void>;
}

/** A database and streams of the suite's own in the shared services; call it at the top of a test file. */
export function namespace(): Namespace {
  const name = `t${randomBytes(6).toString("hex")}`;
  const mongodbUrl = inject("mongodbUrl");
  const natsUrl = inject("natsUrl");
  const prefix = `${name}_`;
  const remove = async (): Promise<void> => {
    const client = new MongoClient(mongodbUrl);
    const connection = await connectNats({ url: natsUrl }, "namespace");
    try {
      await client.db(name).dropDatabase();
      const manager = await jetstreamManager(connection);
      for await (const stream of manager.streams.names()) {
        if (stream.startsWith(prefix)) await manager.streams.delete(stream);
      }
    } finally {
      await Promise.all([client.close(), connection.close()]);
    }
  };
  afterAll(remove);
  return { mongodbUrl, natsUrl, database: name, topology: { prefix, replicas: 1 }, remove };
}
