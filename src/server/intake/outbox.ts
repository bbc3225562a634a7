import { randomUUID } from "node:crypto";
import type { Clock } from "../../shared/clock.ts";
import { type Repeat, repeat } from "../../shared/repeat.ts";
import type { JudgementDocument } from "../store/documents.ts";
import type { Store } from "../store/store.ts";
import { type PublishDeps, publishClaimed } from "./publishclaimed.ts";

/** A claimed judgement is this server's alone for so long, milliseconds; after that any server tries again. */
export const HOLD_MS = 1_500;
const INTERVAL_MS = 400;
const BATCH = 128;
/** Judgements without a submission are looked at again after their age, at least and at most so long. */
const ORPHAN_MIN_MS = 2_000;
const ORPHAN_MAX_MS = 3_600_000;

export interface OutboxDeps extends PublishDeps {
  readonly store: Pick<Store, "judgements" | "submissions" | "held">;
  readonly clock: Clock;
  /** There is something in line. */
  readonly wakeLine: () => void;
}

/**
 * The submission is written after its first judgement, so a judgement alone means: being written right now, or
 * its server died between the two, or it lost the race for its idempotency key. Nobody was told of it. It waits,
 * longer each time, until collection removes it.
 */
export function orphanUntil(judgement: Pick<JudgementDocument, "createdAt">, now: number): Date {
  const age = now - judgement.createdAt.getTime();
  return new Date(now + Math.min(ORPHAN_MAX_MS, Math.max(ORPHAN_MIN_MS, age)));
}

/**
 * Sees to what is PENDING and due: publishes again what was dispatched and whose publish is not known to have got
 * through (NATS was away, or a server died between the insert and the publish), and puts into line what was never
 * dispatched. Runs on every server; each judgement is claimed by one of them at a time.
 */
export function createOutbox(deps: OutboxDeps): Repeat {
  const { store, link, clock } = deps;

  async function publish(due: readonly JudgementDocument[], now: number): Promise<void> {
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
    await publishClaimed(
      deps,
      claimed.flatMap((judgement) => {
        const submission = submissions.get(judgement.submission);
        return submission === undefined ? [] : [{ judgement, submission }];
      }),
    );
    for (const orphan of claimed) {
      if (submissions.has(orphan.submission)) continue;
      await store.judgements.defer({ ids: [orphan._id], claim, until: orphanUntil(orphan, now) });
    }
  }

  return repeat({
    name: "outbox",
    intervalMs: INTERVAL_MS,
    log: deps.log,
    async act(signal) {
      for (;;) {
        if (signal.aborted || !link.connected()) return;
        const now = clock.now();
        const due = await store.judgements.due({ now: new Date(now), limit: BATCH });
        const [fresh, dispatched] = [
          due.filter((one) => one.dispatch === 0),
          due.filter((one) => one.dispatch > 0),
        ];
        if (fresh.length > 0) {
          await store.held.putInLine(fresh);
          deps.wakeLine();
        }
        if (dispatched.length > 0) await publish(dispatched, now);
        if (due.length < BATCH) return;
      }
    },
  });
}
