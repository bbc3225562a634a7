import type { Collection } from "mongodb";
import type { ProblemId } from "../../shared/ids.ts";
import type { QueueId } from "../../shared/queue.ts";
import { guarded } from "./unavailable.ts";

/** A queue, or a problem, of which no further jobs go out for a while; somebody wanted that. */
export interface PauseDocument<Id extends QueueId | ProblemId = QueueId> {
  readonly _id: Id;
  readonly reason: string;
  readonly by: string;
  readonly at: Date;
}

export interface Pauses<Id extends QueueId | ProblemId = QueueId> {
  list(): Promise<PauseDocument<Id>[]>;
  /** Repeatable: the newest reason stands. */
  put(pause: PauseDocument<Id>): Promise<void>;
  /** False when it was not paused. */
  remove(id: Id): Promise<boolean>;
}

export const createPauses = <Id extends QueueId | ProblemId>(
  collection: Collection<{ _id: string; reason: string; by: string; at: Date }>,
): Pauses<Id> => ({
  // What is in the collection was put there by `put`.
  list: () =>
    guarded(async () => (await collection.find().sort({ _id: 1 }).toArray()) as PauseDocument<Id>[]),
  put: (pause) =>
    guarded(async () => {
      await collection.replaceOne({ _id: pause._id }, pause, { upsert: true });
    }),
  remove: (id) => guarded(async () => (await collection.deleteOne({ _id: id })).deletedCount === 1),
});
