import { readCapability } from "../../shared/capability.ts";
import { decodeJson } from "../../shared/nats.ts";
import { JudgeEvent } from "../../shared/protocol.ts";
import { MAX_DELIVER } from "../../shared/topology.ts";

export type Verified =
  | { readonly type: "event"; readonly event: JudgeEvent }
  | { readonly type: "malformed" }
  /** Well-formed, but its sender may not say this. */
  | { readonly type: "forged"; readonly why: string };

/**
 * Parses an event from the wire and checks that its sender holds the job: the broker's permissions let an executor
 * publish only under its own name (subject `events.<executor>.<submission>`), and the capability was signed for
 * this submission, generation and dispatch.
 */
export function verifyEvent(secret: string, subject: string, data: Uint8Array): Verified {
  const event = decodeJson(JudgeEvent, data);
  if (event === undefined) return { type: "malformed" };
  const [executor, submission] = subject.split(".").slice(-2);
  if (executor !== event.executor || submission !== event.submission) {
    return { type: "forged", why: "the subject names another executor or submission" };
  }
  const claims = readCapability(secret, event.capability);
  if (claims === undefined) return { type: "forged", why: "the capability is not one of ours" };
  if (
    claims.submission !== event.submission ||
    claims.generation !== event.generation ||
    claims.dispatch !== event.dispatch
  ) {
    return { type: "forged", why: "the capability is for another job" };
  }
  // The capability cannot name the delivery; a made-up high one would silence every later holder.
  if (event.delivery > MAX_DELIVER) return { type: "forged", why: "no job is handed out so often" };
  return { type: "event", event };
}
