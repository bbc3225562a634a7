import { setTimeout as sleep } from "node:timers/promises";
import type { JsMsg } from "@nats-io/jetstream";
import { type CapabilityClaims, readCapability } from "../../shared/capability.ts";
import { judgementId, type JudgementId } from "../../shared/ids.ts";
import type { JudgeEvent } from "../../shared/protocol.ts";
import type { Service } from "../../shared/lifecycle.ts";
import { createRecent } from "../../shared/recent.ts";
import { eventStreamOf, RECORDER_CONSUMER } from "../../shared/topology.ts";
import type { WorkKind } from "../intake/work.ts";
import { StoreUnavailable } from "../store/unavailable.ts";
import { consumeForEver } from "./consume.ts";
import { createRecord, type RecordDeps } from "./record.ts";
import { isReadable } from "./readable.ts";
import type { Reject } from "./reject.ts";
import { verifyEvent } from "./verify.ts";

export interface RecorderDeps extends RecordDeps {
  readonly reject: Reject;
  readonly capabilitySecret: string;
  readonly mend: () => Promise<void>;
  readonly works: ReadonlyMap<string, Pick<WorkKind, "isResult">>;
}

interface Taken {
  readonly message: JsMsg;
  readonly event: JudgeEvent;
}

/** Of one stored message, also when its stream was lost and counts anew. */
const nameOf = ({ info }: JsMsg): string => `${info.streamSequence}@${info.timestampNanos}`;

/** Judgements recorded at once by one server. */
const AT_ONCE = 512;
/** Messages that the client holds ready. */
const READY = 1_024;
const STORE_RETRY_MS = 500;
/** An event that cannot be written, though the database is there, is given up after so many deliveries. */
const GIVE_UP_AFTER = 10;

/**
 * Reads judge events, in order per judgement and many judgements at once, and records them. An event is acked only
 * after what it says is stored on a majority; while the database is away, events wait. Nothing is judged again for
 * a failure to persist.
 */
export function createRecorder(deps: RecorderDeps): Service {
  const { log, measures } = deps;
  const record = createRecord(deps);
  /** By judgement and stored message: a copy that is handed out again takes the place of the one before. */
  const waiting = new Map<JudgementId, Map<string, Taken>>();
  const active = new Set<Promise<void>>();
  const known = createRecent<string, CapabilityClaims>("rememberedCapabilities", deps.evicted);
  /** Told when there is room for one judgement more. */
  let oneEnded = (): void => undefined;

  async function write(
    id: JudgementId,
    group: readonly [Taken, ...Taken[]],
    signal: AbortSignal,
  ): Promise<void> {
    const [first, ...rest] = group;
    for (let failures = 0; ; failures++) {
      try {
        const outcome = await record([first.event, ...rest.map((one) => one.event)]);
        measures.events.inc({ outcome }, group.length);
        if (outcome === "unknown")
          log.warn({ submission: first.event.submission }, "event of an unknown judgement");
        for (const { message } of group) message.ack();
        return;
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        const level = failures === 0 ? "warn" : "debug";
        log[level]({ err: error, submission: first.event.submission }, "cannot record now; trying again");
        // Those behind them, too: what is not heard of for ack_wait is handed out again.
        for (const { message } of [...group, ...(waiting.get(id)?.values() ?? [])]) message.working();
        await sleep(STORE_RETRY_MS, undefined, { signal }).catch(() => undefined);
        if (signal.aborted) {
          // Another server need not wait for the end of ack_wait.
          for (const { message } of group) message.nak();
          return;
        }
      }
    }
  }

  /** The database is there and refuses this event: our fault. Tried again for a while, then counted and dropped. */
  function refuse({ message, event }: Taken, error: unknown): void {
    const given = message.info.deliveryCount;
    log.error(
      { err: error, submission: event.submission, type: event.type, given },
      "cannot record an event",
    );
    if (given < GIVE_UP_AFTER) {
      message.nak(1_000 * given);
      return;
    }
    measures.events.inc({ outcome: "failed" });
    const why = `the database refuses it: ${error instanceof Error ? error.message : String(error)}`;
    deps.reject({
      source: "event",
      reason: "unrecordable",
      place: message.subject,
      why: why.slice(0, 500),
      data: message.data,
    });
    message.term("cannot be recorded");
  }

  async function drain(id: JudgementId, signal: AbortSignal): Promise<void> {
    for (;;) {
      const [first, ...rest] = waiting.get(id)?.values() ?? [];
      if (first === undefined) {
        waiting.delete(id);
        return;
      }
      waiting.set(id, new Map());
      try {
        await write(id, [first, ...rest], signal);
      } catch (error) {
        // One of them may be to blame: alone, each shows itself.
        if (rest.length === 0) refuse(first, error);
        else
          for (const one of [first, ...rest])
            await write(id, [one], signal).catch((why: unknown) => refuse(one, why));
      }
    }
  }

  /** Most capabilities come with more than one event. */
  function claimsOf(capability: string): CapabilityClaims | undefined {
    const claims = known.get(capability) ?? readCapability(deps.capabilitySecret, capability);
    if (claims !== undefined) known.set(capability, claims);
    return claims;
  }

  async function take(message: JsMsg, signal: AbortSignal): Promise<void> {
    const verified = verifyEvent(claimsOf, message.subject, message.data);
    if (verified.type !== "event") {
      measures.events.inc({ outcome: verified.type });
      const { type: reason } = verified;
      const why = reason === "forged" ? verified.why : "it does not fit the schema of events";
      deps.reject({ source: "event", reason, place: message.subject, why, data: message.data });
      message.term(reason);
      return;
    }
    const { event } = verified;
    if (!isReadable(deps.works, event)) {
      measures.events.inc({ outcome: "malformed" });
      const why = `what it carries is no result of the kind of work "${event.kind}"`;
      deps.reject({ source: "event", reason: "malformed", place: message.subject, why, data: message.data });
      message.term("malformed");
      return;
    }
    const id = judgementId(event.submission, event.generation);
    const queue = waiting.get(id);
    if (queue !== undefined) {
      queue.set(nameOf(message), { message, event });
      return;
    }
    waiting.set(id, new Map([[nameOf(message), { message, event }]]));
    const run: Promise<void> = drain(id, signal).finally(() => {
      active.delete(run);
      oneEnded();
    });
    active.add(run);
    if (active.size < AT_ONCE) return;
    await new Promise<void>((resolve) => {
      oneEnded = resolve;
    });
  }

  const reader = consumeForEver({
    name: "recorder",
    stream: eventStreamOf(deps.topology),
    consumer: RECORDER_CONSUMER,
    atOnce: READY,
    link: deps.link,
    log,
    mend: deps.mend,
    take,
  });
  return {
    name: reader.name,
    start: () => reader.start(),
    async stop() {
      await reader.stop();
      await Promise.all(active);
    },
  };
}
