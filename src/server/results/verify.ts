import type { CapabilityClaims } from "../../shared/capability.ts";
import { decodeJson } from "../../shared/nats.ts";
import { JudgeEvent } from "../../shared/protocol.ts";
import { MAX_DELIVER } from "../../shared/topology.ts";

export type Verified =
  | { readonly type: "event"; readonly event: JudgeEvent }
  | { readonly type: "malformed" }
  /** Well-formed, but its sender may not say this. */
  | { readonly type: "forged"; readonly why: string };

/** Deepest nesting of what an event carries; a judge result has four levels. MongoDB itself ends at 100. */
const MOST_LEVELS = 24;

/**
 * Can the database hold this? What it refuses would be tried again for a while, and a sender of many such events could
 * keep the recorder busy with them. Besides the depth: names that BSON cannot write or takes for types of its own.
 */
function isStorable(value: unknown, levels = MOST_LEVELS): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0) return false;
  if (Array.isArray(value)) return value.every((one) => isStorable(one, levels - 1));
  return Object.entries(value).every(
    ([name, one]) => name !== "_bsontype" && !name.includes("\0") && isStorable(one, levels - 1),
  );
}

/**
 * Parses an event from the wire and checks that its sender holds the job: the broker's permissions let an executor
 * publish only under its own name (subject `events.<executor>.<submission>`), and the capability was signed for
 * this submission, generation and dispatch.
 */
export function verifyEvent(
  claimsOf: (capability: string) => CapabilityClaims | undefined,
  subject: string,
  data: Uint8Array,
): Verified {
  const event = decodeJson(JudgeEvent, data);
  if (event === undefined || !isStorable(event)) return { type: "malformed" };
  const [executor, submission] = subject.split(".").slice(-2);
  if (executor !== event.executor || submission !== event.submission) {
    return { type: "forged", why: "the subject names another executor or submission" };
  }
  const claims = claimsOf(event.capability);
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
