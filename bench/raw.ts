import { createHash } from "node:crypto";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Binary, type Document, type IndexDescription, MongoClient } from "mongodb";
import { z } from "zod";
import { groupInsert } from "../src/server/store/insertgroup.ts";
import { Lane } from "../src/shared/lane.ts";
import { connectNats } from "../src/shared/nats.ts";
import { jobMessageId, jobStreamConfig, subjects, type Topology } from "../src/shared/topology.ts";
import { judgementId, newSubmissionId } from "../src/shared/ids.ts";
import { LanguageId } from "../src/shared/language.ts";
import { Load, measure } from "./load.ts";

/**
 * The raw limit beside `submit`: for each submission the same three documents (blob, judgement, submission) inserted
 * at the same time into collections with the same indexes and write concern, then the same job published to a stream
 * of the same configuration, straight from the load process by the two drivers. No HTTP, GraphQL, checks or keys.
 * Each document is an insert of its own, as anybody would write it; `grouped`: those under way at once share inserts as
 * Docket's do, which is the most that the two stores give.
 */

export const RawLoad = Load.pick({ mode: true, warmUpMs: true, measureMs: true }).extend({
  mongodbUrl: z.string(),
  /** Database whose newest submission and indexes are copied. */
  database: z.string(),
  natsUrl: z.string(),
  natsUser: z.string(),
  natsPassword: z.string(),
  /** Subject prefix of the copy. */
  prefix: z.string(),
  language: LanguageId,
  /** Bytes of a real job. */
  job: z.string(),
  grouped: z.boolean(),
});
export type RawLoad = z.infer<typeof RawLoad>;

const COPIED = ["blobs", "judgements", "submissions"] as const;

async function raw(load: RawLoad): Promise<void> {
  const mongo = new MongoClient(load.mongodbUrl, {
    writeConcern: { w: "majority", journal: true },
    maxPoolSize: 64,
  });
  const from = mongo.db(load.database);
  const to = mongo.db(`${load.database}-raw`);
  const connection = await connectNats(
    { url: load.natsUrl, user: load.natsUser, password: load.natsPassword },
    "bench raw",
  );
  try {
    for (const name of COPIED) {
      const indexes = await from.collection(name).listIndexes().toArray();
      const wanted = indexes.filter((index) => index["name"] !== "_id_");
      if (wanted.length > 0) await to.collection(name).createIndexes(wanted as IndexDescription[]);
    }
    const submission = await from.collection("submissions").findOne({}, { sort: { _id: -1 } });
    if (submission === null) throw new Error("there is no submission to copy");
    const judgement = await from.collection("judgements").findOne({ submission: submission["_id"] });
    if (judgement === null) throw new Error("there is no judgement to copy");
    const inserter = (name: (typeof COPIED)[number]): ((document: Document) => Promise<unknown>) => {
      const collection = to.collection(name);
      return load.grouped ? groupInsert(collection) : (document) => collection.insertOne(document);
    };
    const [blobs, judgements, submissions] = [
      inserter("blobs"),
      inserter("judgements"),
      inserter("submissions"),
    ];
    const topology: Topology = { prefix: load.prefix, replicas: 1 };
    const stream = jobStreamConfig(topology, load.language);
    const manager = await jetstreamManager(connection);
    await manager.streams.add(stream);
    const js = jetstream(connection);
    const lane = Lane.parse(submission["lane"]);
    const report = await measure(load, async (number) => {
      const content = Buffer.from(
        `# ${process.pid} ${number}\na, b = map(int, input().split())\nprint(a + b)\n`,
      );
      const sha256 = createHash("sha256").update(content).digest("hex");
      const id = newSubmissionId(Date.now());
      await Promise.all([
        blobs({
          _id: sha256,
          sizeBytes: content.length,
          data: new Binary(content),
          firstAt: new Date(),
          touchedAt: new Date(),
          kept: false,
        }),
        judgements({ ...judgement, _id: judgementId(id, 1), submission: id }),
        submissions({ ...submission, _id: id, idempotencyKey: id }),
      ]);
      await js.publish(subjects.job(topology, load.language, lane, id), load.job, {
        msgID: jobMessageId(id, 1, 1),
      });
    });
    console.log(JSON.stringify(report));
    await manager.streams.delete(stream.name);
    await to.dropDatabase();
  } finally {
    await Promise.all([connection.close(), mongo.close()]);
  }
}

await raw(RawLoad.parse(JSON.parse(process.argv[2] ?? "")));
