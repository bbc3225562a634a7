import { jetstreamManager } from "@nats-io/jetstream";
import { type Collection, type Db, type Document, MongoClient } from "mongodb";
import type { JudgementDocument, SubmissionDocument } from "../../src/server/store/documents.ts";
import { connectNats } from "../../src/shared/nats.ts";
import type { Stack } from "../../src/supervisor/stack.ts";

const FINAL: ReadonlySet<unknown> = new Set(["FINISHED", "FAILED", "CANCELLED"]);
/** More are never unfinished at a time. */
const MOST = 5_000;

/** A look into MongoDB past all of Docket. */
export interface Books {
  readonly submissions: Collection<SubmissionDocument>;
  readonly judgements: Collection<JudgementDocument>;
  /** Undefined while the database does not answer. */
  unfinished(): Promise<number | undefined>;
  close(): Promise<void>;
  readonly client: MongoClient;
  readonly db: Db;
}

const LOOK_MS = 2_000;

export function openBooks(stack: Stack): Books {
  const client = new MongoClient(stack.mongodbUrl, {
    serverSelectionTimeoutMS: LOOK_MS,
    connectTimeoutMS: LOOK_MS,
    socketTimeoutMS: 30_000,
  });
  const db = client.db(stack.database);
  const judgements = db.collection<JudgementDocument>("judgements");
  const submissions = db.collection<SubmissionDocument>("submissions");
  return {
    client,
    db,
    submissions,
    judgements,
    async unfinished() {
      try {
        const open = await judgements
          .find({ state: { $nin: ["FINISHED", "FAILED", "CANCELLED"] } }, { maxTimeMS: LOOK_MS })
          .project<{ submission: SubmissionDocument["_id"] }>({ submission: 1 })
          .limit(MOST)
          .toArray();
        // A server that died between its two writes left a judgement of no submission: nobody was told of it.
        const ids = open.map(({ submission }) => submission);
        return await submissions.countDocuments({ _id: { $in: ids } }, { maxTimeMS: LOOK_MS });
      } catch {
        return undefined;
      }
    },
    close: () => client.close(),
  };
}

/** Single writes within a transaction or a group, too. */
const flat = (entry: Document): Document[] => {
  const inner: unknown = entry["o"]?.["applyOps"];
  return Array.isArray(inner) ? inner.flatMap((one: Document) => flat(one)) : [entry];
};

/** When a subscriber was first shown the end: known only after it, and no part of it. */
function notesDelivery(write: Document): boolean {
  const diff: Document | undefined = write["o"]?.["diff"];
  if (diff === undefined || Object.keys(diff).join() !== "i") return false;
  return Object.keys(diff["i"] as Document).join() === "deliveredAt";
}

/**
 * Reads every write that the database has ever confirmed: judgements that were written again after they had become
 * final, and how many became final.
 */
export async function writesAfterTheEnd(books: Books): Promise<{ ids: string[]; written: number }> {
  const ns = `${books.db.databaseName}.judgements`;
  const oplog = books.client.db("local").collection("oplog.rs");
  const ended = new Set<string>();
  const again: string[] = [];
  const entries = oplog.find({ $or: [{ ns }, { "o.applyOps.ns": ns }] }).sort({ $natural: 1 });
  for await (const entry of entries) {
    for (const write of flat(entry)) {
      if (write["ns"] !== ns || (write["op"] !== "u" && write["op"] !== "i")) continue;
      if (notesDelivery(write)) continue;
      const id = String(write["op"] === "i" ? write["o"]["_id"] : write["o2"]["_id"]);
      if (ended.has(id)) again.push(id);
      const state: unknown =
        write["o"]["state"] ?? write["o"]["diff"]?.["u"]?.["state"] ?? write["o"]["diff"]?.["i"]?.["state"];
      if (FINAL.has(state)) ended.add(id);
    }
  }
  return { ids: again, written: ended.size };
}

/** Messages that nobody will ever want, and deliveries that nobody holds, in words. */
export async function leftInStreams(stack: Stack): Promise<string[]> {
  const nats = await connectNats(stack.nats, "chaos-audit", { timeout: 5_000 });
  try {
    const jsm = await jetstreamManager(nats, { timeout: 5_000 });
    const left: string[] = [];
    for await (const { config, state } of jsm.streams.list()) {
      if (state.messages > 0) left.push(`${state.messages} messages in ${config.name}`);
      for await (const consumer of jsm.consumers.list(config.name)) {
        if (consumer.num_ack_pending === 0) continue;
        left.push(`${consumer.num_ack_pending} deliveries held of ${config.name} ${consumer.name}`);
      }
    }
    return left;
  } finally {
    await nats.close();
  }
}
