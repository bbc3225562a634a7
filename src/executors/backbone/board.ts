import type { SubmissionId } from "../../shared/ids.ts";
import type { QueueId } from "../../shared/queue.ts";
import { type Change, createChange } from "./change.ts";

/** Why the worker stops a job that is running. */
export type StopReason = "cancelled" | "draining" | "deadline" | "lease-lost" | "stale";

/** A job held in a slot, as the rest of the executor sees it. */
export interface Held {
  readonly submission: SubmissionId;
  readonly generation: number;
  readonly language: QueueId;
  /** Milliseconds since 1970. */
  readonly sinceMs: number;
  /** Milliseconds since its last confirmed heartbeat. */
  heartbeatAgeMs(): number;
  /** The first reason counts. */
  stop(reason: StopReason): void;
}

/** The jobs in hand, by slot. */
export interface Board {
  put(slot: number, held: Held): void;
  remove(slot: number): void;
  all(): readonly Held[];
  find(submission: SubmissionId, generation: number): Held | undefined;
  readonly change: Change;
}

export function createBoard(): Board {
  const held = new Map<number, Held>();
  const change = createChange();
  return {
    put: (slot, one) => {
      held.set(slot, one);
      change.notify();
    },
    remove: (slot) => {
      if (held.delete(slot)) change.notify();
    },
    all: () => [...held.values()],
    find: (submission, generation) =>
      held.values().find((one) => one.submission === submission && one.generation === generation),
    change,
  };
}
