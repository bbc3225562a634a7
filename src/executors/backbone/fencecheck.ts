import type { Fence } from "../../shared/fence.ts";
import type { SubmissionId } from "../../shared/ids.ts";
import { decodeJson, encodeJson } from "../../shared/nats.ts";
import { FenceAnswer, type FenceCheck } from "../../shared/protocol.ts";
import { subjects, type Topology } from "../../shared/topology.ts";
import type { Connection } from "./connection.ts";

const ANSWER_TIMEOUT_MS = 1_000;

/**
 * Whether the holder with this fence may still run its job. Servers answer; when none does within a second, the job
 * runs: it may be run once too often, but its events are fenced all the same.
 */
export async function askFence(
  deps: { readonly connection: Connection; readonly topology: Topology },
  submission: SubmissionId,
  fence: Fence,
): Promise<boolean> {
  const check: FenceCheck = { submission, ...fence };
  try {
    const answer = await deps.connection.nats.request(subjects.fenceCheck(deps.topology), encodeJson(check), {
      timeout: ANSWER_TIMEOUT_MS,
    });
    return decodeJson(FenceAnswer, answer.data)?.current ?? true;
  } catch {
    return true;
  }
}
