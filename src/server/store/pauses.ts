import type { Collection } from "mongodb";
import type { QueueId } from "../../shared/queue.ts";
import { guarded } from "./unavailable.ts";

/** A queue that takes no further jobs for a while; somebody wanted that. */
export interface PauseDocument {
  readonly _id: QueueId;
  readonly reason: string;
  readonly by: string;
  readonly at: Date;
}

export interface Pauses {
  list(): Promise<PauseDocument[]>;
  /** Repeatable: the newest reason stands. */
  put(pause: PauseDocument): Promise<void>;
  /** False when it was not paused. */
  remove(queue: QueueId): Promise<boolean>;
}

export const createPauses = (collection: Collection<PauseDocument>): Pauses => ({
  list: () => guarded(() => collection.find().sort({ _id: 1 }).toArray()),
  put: (pause) =>
    guarded(async () => {
      await collection.replaceOne({ _id: pause._id }, pause, { upsert: true });
    }),
  remove: (queue) => guarded(async () => (await collection.deleteOne({ _id: queue })).deletedCount === 1),
});
