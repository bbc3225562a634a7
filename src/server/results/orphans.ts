import type { Clock } from "../../shared/clock.ts";
import { firstSubmissionId, type Sha256 } from "../../shared/ids.ts";
import type { Log } from "../../shared/log.ts";
import { type Repeat, repeat } from "../../shared/repeat.ts";
import type { Store } from "../store/store.ts";

export interface OrphansDeps {
  readonly store: Pick<Store, "blobs" | "submissions" | "judgements" | "leases">;
  readonly clock: Clock;
  readonly instance: string;
  readonly log: Log;
}

const LEASE = "orphans";
const HOUR_MS = 3_600_000;
/** Nothing younger is touched: far above the longest time that a request can take. */
const AGE_MS = 24 * HOUR_MS;
/** A submission is stored at most so long after its blobs: intake puts a blob again after ten minutes. */
const AFTER_MS = 2 * HOUR_MS;
/** Servers' clocks may differ by so much. */
const SKEW_MS = HOUR_MS / 2;
const BATCH = 500;

/** Blobs that no submission names: of requests that were refused or cut off. Others are marked as kept for ever. */
async function collectBlobs(deps: OrphansDeps, before: Date, signal: AbortSignal): Promise<number> {
  let collected = 0;
  while (!signal.aborted) {
    const batch = await deps.store.blobs.unclaimed(before, BATCH);
    const last = batch.at(-1);
    if (last === undefined) break;
    // Not from the last put on: that may have been a repeated or refused request, and an older submission has the blob.
    const firstAtMs = Math.min(...batch.map((blob) => blob.firstAt.getTime()));
    const referred = await deps.store.submissions.referred({
      blobs: batch.map((blob) => blob.sha256),
      from: firstSubmissionId(firstAtMs - SKEW_MS),
      to: firstSubmissionId(last.touchedAt.getTime() + AFTER_MS),
    });
    if (referred.size > 0) await deps.store.blobs.keep([...referred] as Sha256[]);
    for (const blob of batch) {
      if (referred.has(blob.sha256)) continue;
      if (await deps.store.blobs.collect(blob)) collected += 1;
    }
  }
  return collected;
}

/** First judgements whose submission never came to be. */
async function collectJudgements(deps: OrphansDeps, before: Date): Promise<number> {
  const old = await deps.store.judgements.oldPending(before, BATCH);
  const submissions = await deps.store.submissions.many(old.map((judgement) => judgement.submission));
  const known = new Set(submissions.map((submission) => submission._id));
  const orphans = old.filter((judgement) => !known.has(judgement.submission));
  for (const orphan of orphans) await deps.store.judgements.removeUntouched(orphan._id);
  return orphans.length;
}

export async function collectOrphans(
  deps: OrphansDeps,
  signal: AbortSignal,
): Promise<{ blobs: number; judgements: number; cutShort: number }> {
  const before = new Date(deps.clock.now() - AGE_MS);
  return {
    blobs: await collectBlobs(deps, before, signal),
    judgements: await collectJudgements(deps, before),
    cutShort: await deps.store.blobs.sweep(before),
  };
}

/** Collects what crashes left in the database, once an hour, one server at a time. */
export function createOrphanCollector(deps: OrphansDeps): Repeat {
  return repeat({
    name: "orphans",
    intervalMs: HOUR_MS,
    log: deps.log,
    async act(signal) {
      const term = await deps.store.leases.acquire({ name: LEASE, holder: deps.instance, ttlMs: HOUR_MS });
      if (term === undefined) return;
      const collected = await collectOrphans(deps, signal);
      if (collected.blobs + collected.judgements + collected.cutShort > 0)
        deps.log.info(collected, "collected orphans");
    },
  });
}
