import { type Db, MongoServerError, type ObjectId } from "mongodb";
import { BOUNDS } from "../../shared/limits.ts";
import { guarded } from "./unavailable.ts";

/** A message that could not be used and was taken out of its stream: what an operator wants to know of it. */
export interface RejectedMessage {
  readonly at: Date;
  readonly source: "event" | "job";
  /**
   * malformed, forged, unrecordable: events. terminated: an executor could not read a job. undeliverable: nobody took
   * a job to its end, and no unfinished judgement stands behind it.
   */
  readonly reason: "malformed" | "forged" | "unrecordable" | "terminated" | "undeliverable";
  /** Subject of an event; stream, lane and sequence of a job. */
  readonly place: string;
  /** What is wrong with it, in words. */
  readonly why: string;
  /** Its beginning, made printable. */
  readonly excerpt: string;
}

/** The newest ones: older ones make room by themselves. */
export interface Rejected {
  put(message: RejectedMessage): Promise<void>;
  /** Newest first. */
  newest(first: number): Promise<RejectedMessage[]>;
}

/** MongoDB's answer when the collection is there. */
const NAMESPACE_EXISTS = 48;

/** `most`: messages kept; one that differs from what the collection was made with is applied. */
export async function createRejected(db: Db, most: number): Promise<Rejected> {
  const name = "rejected";
  const capped = { capped: true, size: BOUNDS.rejectedBytes.value, max: most };
  await guarded(async () => {
    const [there] = await db.listCollections({ name }, { nameOnly: false }).toArray();
    if (there === undefined) {
      await db.createCollection(name, capped).catch((error: unknown) => {
        if (!(error instanceof MongoServerError && error.code === NAMESPACE_EXISTS)) throw error;
      });
    } else if (there.options?.max !== most) {
      await db.command({ collMod: name, cappedMax: most });
    }
  });
  const collection = db.collection<RejectedMessage & { _id?: ObjectId }>(name);
  return {
    put: (message) =>
      guarded(async () => {
        await collection.insertOne({ ...message });
      }),
    newest: (first) =>
      guarded(() =>
        collection
          .find({}, { projection: { _id: 0 } })
          .sort({ $natural: -1 })
          .limit(first)
          .toArray(),
      ),
  };
}
