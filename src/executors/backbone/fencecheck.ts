import type { Fence } from "../../shared/fence.ts";
import type { SubmissionId } from "../../shared/ids.ts";
import { decodeJson, encodeJson } from "../../shared/nats.ts";
import { FENCES_AT_ONCE, FenceAnswer, type FenceCheck } from "../../shared/protocol.ts";
import { subjects, type Topology } from "../../shared/topology.ts";
import type { Connection } from "./connection.ts";

/** Whether the holder with this fence may still run its job. Never rejects. */
export type AskFence = (submission: SubmissionId, fence: Fence) => Promise<boolean>;

const ANSWER_TIMEOUT_MS = 1_000;

interface Asking {
  readonly check: FenceCheck[number];
  readonly resolve: (current: boolean) => void;
}

/**
 * Jobs that arrive together are asked about together. Servers answer; when none does within a second, the jobs run:
 * one may be run once too often, but its events are fenced all the same.
 */
export function createAskFence(deps: {
  readonly connection: Connection;
  readonly topology: Topology;
}): AskFence {
  let waiting: Asking[] = [];

  async function ask(together: readonly Asking[]): Promise<void> {
    const checks: FenceCheck = together.map(({ check }) => check);
    let current: readonly boolean[] = [];
    try {
      const answer = await deps.connection.nats.request(
        subjects.fenceCheck(deps.topology),
        encodeJson(checks),
        { timeout: ANSWER_TIMEOUT_MS },
      );
      current = decodeJson(FenceAnswer, answer.data)?.current ?? [];
    } catch {
      // Nobody answered.
    }
    for (const [i, { resolve }] of together.entries()) resolve(current[i] ?? true);
  }

  function flush(): void {
    const all = waiting;
    waiting = [];
    for (let from = 0; from < all.length; from += FENCES_AT_ONCE) {
      void ask(all.slice(from, from + FENCES_AT_ONCE));
    }
  }

  return (submission, fence) =>
    new Promise((resolve) => {
      if (waiting.length === 0) setImmediate(flush);
      waiting.push({ check: { submission, ...fence }, resolve });
    });
}
