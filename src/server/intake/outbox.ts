import { randomUUID } from "node:crypto";
import type { Clock } from "../../shared/clock.ts";
import { LANES, type Lane } from "../../shared/lane.ts";
import { type QueueId, queuesOf } from "../../shared/queue.ts";
import type { Log } from "../../shared/log.ts";
import { type Repeat, repeat } from "../../shared/repeat.ts";
import type { JudgementDocument, SubmissionDocument } from "../store/documents.ts";
import type { Store } from "../store/store.ts";
import { type DispatchDeps, publishJob } from "./dispatch.ts";
import { pointTo } from "./pointto.ts";
import type { QueuedMarker } from "./queued.ts";

/** A claimed judgement is this server's alone for so long, milliseconds; after that any server tries again. */
export const HOLD_MS = 1_500;
const INTERVAL_MS = 400;
const BATCH = 128;
/** Judgements without a submission are looked at again after their age, at least and at most so long. */
const ORPHAN_MIN_MS = 2_000;
const ORPHAN_MAX_MS = 3_600_000;

export interface OutboxDeps extends DispatchDeps {
  readonly store: Pick<Store, "judgements" | "submissions">;
  readonly queued: QueuedMarker;
  readonly clock: Clock;
  readonly log: Log;
  /** Makes missing streams and consumers. */
  readonly mend: () => Promise<void>;
}

/**
 * Publishes what is PENDING: stored while NATS was away or the window was full, or left behind by a server that
 * died between the insert and the publish. Oldest first within a language and lane, as far as the window has room.
 * Runs on every server; each judgement is claimed by one of them at a time.
 */
export function createOutbox(deps: OutboxDeps): Repeat {
  const { store, link, window, queued, clock, log, measures } = deps;

  /** False when it failed. */
  async function publish(
    judgement: JudgementDocument,
    submissions: ReadonlyMap<string, SubmissionDocument>,
  ): Promise<boolean> {
    const submission = submissions.get(judgement.submission);
    if (submission === undefined) return true;
    try {
      await publishJob(deps, judgement, await pointTo(store.submissions, submission, judgement));
      queued.mark(judgement);
      return true;
    } catch (error) {
      measures.dispatched.inc({ outcome: "failed" });
      log.warn(
        { err: error, submission: judgement.submission },
        "could not publish the job; it stays pending",
      );
      return false;
    }
  }

  /**
   * The submission is written after its first judgement, so a judgement alone means: being written right now, or
   * its server died between the two, or it lost the race for its idempotency key. Nobody was told of it. It waits,
   * longer each time, until collection removes it.
   */
  async function letWait(orphans: readonly JudgementDocument[], claim: string, now: number): Promise<void> {
    for (const orphan of orphans) {
      const age = now - orphan.createdAt.getTime();
      const until = new Date(now + Math.min(ORPHAN_MAX_MS, Math.max(ORPHAN_MIN_MS, age)));
      await store.judgements.defer({ ids: [orphan._id], claim, until });
    }
  }

  /** One batch of one lane; how many were taken. */
  async function drain(language: QueueId, lane: Lane): Promise<number> {
    const limit = Math.min(BATCH, window.room(language, lane));
    if (limit === 0) return 0;
    const now = clock.now();
    const due = await store.judgements.due({ language, lane, now: new Date(now), limit });
    window.setBehind(language, lane, due.length === limit);
    if (due.length === 0) return 0;
    const claim = randomUUID();
    const claimed = await store.judgements.claim({
      ids: due.map((judgement) => judgement._id),
      now: new Date(now),
      holdUntil: new Date(now + HOLD_MS),
      claim,
    });
    const submissions = new Map(
      (await store.submissions.many(claimed.map((one) => one.submission))).map((one) => [one._id, one]),
    );
    const orphans = claimed.filter((judgement) => !submissions.has(judgement.submission));
    const published = await Promise.all(claimed.map((judgement) => publish(judgement, submissions)));
    // A stream may be missing: nobody answers a publish to it.
    if (published.includes(false) && link.connected()) await deps.mend();
    if (orphans.length > 0) await letWait(orphans, claim, now);
    return due.length;
  }

  return repeat({
    name: "outbox",
    intervalMs: INTERVAL_MS,
    log,
    async act(signal) {
      if (!link.connected()) return;
      if (!(await store.judgements.anyDue(new Date(clock.now())))) {
        for (const lane of LANES)
          for (const language of queuesOf(deps.topology)) window.setBehind(language, lane, false);
        return;
      }
      for (const lane of LANES) {
        for (const language of queuesOf(deps.topology)) {
          let taken: number;
          do {
            if (signal.aborted || !link.connected()) return;
            taken = await drain(language, lane);
          } while (taken === BATCH);
        }
      }
    },
  });
}
