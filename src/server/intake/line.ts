import { randomUUID } from "node:crypto";
import type { Clock } from "../../shared/clock.ts";
import type { ProblemId } from "../../shared/ids.ts";
import { LANES } from "../../shared/lane.ts";
import { type QueueId, queuesOf } from "../../shared/queue.ts";
import { type Repeat, repeat } from "../../shared/repeat.ts";
import type { SubmissionDocument } from "../store/documents.ts";
import { type HeldJudgement, heldIn, type Place } from "../store/held.ts";
import type { Store } from "../store/store.ts";
import { HOLD_MS, orphanUntil } from "./outbox.ts";
import { type PublishDeps, publishClaimed } from "./publishclaimed.ts";
import { shareOut } from "./share.ts";

export interface LineDeps extends PublishDeps {
  readonly store: Pick<Store, "held" | "submissions">;
  readonly clock: Clock;
  /** Most jobs of one owner in each lane of this queue. */
  readonly mostOut: (queue: QueueId) => number;
  /** Nothing of it goes out just now. */
  readonly isPaused: (problem: ProblemId) => boolean;
}

export interface Line extends Repeat {
  /** A judgement has its final state: perhaps a place has come free. */
  ended(place: Place): void;
}

/** What other servers put into line is found after so long at most, milliseconds. */
const INTERVAL_MS = 400;
const BATCH = 128;
/** A judgement so young may be waiting for its submission to be written, milliseconds. */
const YOUNG_MS = 2_000;
const YOUNG_AGAIN_MS = 50;

/**
 * Sends held judgements out in fair order as places come free: each place to the owner with the fewest jobs out, his
 * oldest first, at most `mostOut` of one owner at a time (docs/adr/0018-fair-order.md). Runs on every server, exact
 * without a lock: the line is read before what is out is counted, so of two servers the second either sees what the
 * first took, or asks for the very same judgements and gets none.
 */
export function createLine(deps: LineDeps): Line {
  const { store, link, window, clock, log } = deps;
  const queues = new Set<QueueId>(queuesOf(deps.topology));
  /** Places where something was held at the last look. */
  let holding = new Map<string, Place>();
  /** Whom each place has served last: the next round begins behind him. */
  const served = new Map<string, string>();
  let again: NodeJS.Timeout | undefined;

  /** Owners in the order of this round. */
  function turned(place: Place, owners: readonly string[]): string[] {
    const last = served.get(heldIn(place));
    const from = last === undefined ? 0 : owners.findIndex((owner) => owner > last);
    return from <= 0 ? [...owners] : [...owners.slice(from), ...owners.slice(0, from)];
  }

  /** Their submissions; held ones without one wait or are set aside. */
  async function submissionsOf(
    judgements: readonly HeldJudgement[],
  ): Promise<ReadonlyMap<string, SubmissionDocument>> {
    const found = await store.submissions.many(judgements.map((one) => one.submission));
    const known = new Map(found.map((one) => [one._id, one]));
    const now = clock.now();
    for (const one of judgements) {
      if (known.has(one.submission)) continue;
      if (now - one.createdAt.getTime() > YOUNG_MS)
        await store.held.setAside({ ids: [one._id], until: orphanUntil(one, now) });
      else again ??= setTimeout(wakeAgain, YOUNG_AGAIN_MS);
    }
    return known;
  }

  /** Takes out of line what is of paused problems; how many that were. */
  async function parkPaused(line: readonly HeldJudgement[]): Promise<number> {
    const paused = line.filter(({ problem }) => problem !== undefined && deps.isPaused(problem));
    for (const [problem, group] of Map.groupBy(paused, (one) => one.problem)) {
      if (problem !== undefined) await store.held.park({ ids: group.map((one) => one._id), problem });
    }
    return paused.length;
  }

  /** One batch of one place; how many were sent out, or out of the way. */
  async function sendOut(place: Place): Promise<number> {
    const { language, lane } = place;
    const owners = await store.held.owners(place);
    const room = Math.min(BATCH, window.room(language, lane));
    // Who comes now has to queue behind those for whom there is no room. One's own limit stands in nobody's way.
    window.setBehind(language, lane, owners.length > 0 && room === 0);
    if (owners.length === 0 || room === 0) return 0;
    const most = deps.mostOut(language);
    const out = await store.held.out(place);
    const shares = shareOut({ owners: turned(place, owners), out, most, room });
    const lines = await Promise.all(
      [...shares].map(async ([owner, limit]) => ({
        owner,
        line: await store.held.oldest({ place, owner, limit }),
      })),
    );
    const away = await parkPaused(lines.flatMap(({ line }) => line));
    // Their places in the line are others': a new look.
    if (away > 0) return away;
    const submissions = await submissionsOf(lines.flatMap(({ line }) => line));
    const outNow = await store.held.out(place);
    const ids = lines.flatMap(({ owner, line }) =>
      line
        .slice(0, Math.max(0, most - (outNow.get(owner) ?? 0)))
        .filter((one) => submissions.has(one.submission))
        .map((one) => one._id),
    );
    if (ids.length === 0) return 0;
    const now = clock.now();
    const claim = randomUUID();
    const taken = await store.held.take({ ids, now: new Date(now), until: new Date(now + HOLD_MS), claim });
    await publishClaimed(
      deps,
      taken.flatMap((judgement) => {
        const submission = submissions.get(judgement.submission);
        return submission === undefined ? [] : [{ judgement, submission }];
      }),
    );
    const last = lines.at(-1);
    if (last !== undefined) served.set(heldIn(place), last.owner);
    return taken.length;
  }

  const loop = repeat({
    name: "line",
    intervalMs: INTERVAL_MS,
    log,
    async act(signal) {
      if (!link.connected()) return;
      // What this deployment has no queue for any more waits until it has one again.
      const places = (await store.held.places()).filter(({ language }) => queues.has(language));
      const now = new Map(places.map((place) => [heldIn(place), place]));
      for (const [key, { language, lane }] of holding) {
        if (now.has(key)) continue;
        served.delete(key);
        window.setBehind(language, lane, false);
      }
      holding = now;
      for (const place of places.toSorted((a, b) => LANES.indexOf(a.lane) - LANES.indexOf(b.lane))) {
        while (!signal.aborted && link.connected() && (await sendOut(place)) > 0);
      }
    },
  });
  const wakeAgain = (): void => {
    again = undefined;
    loop.wake();
  };

  return {
    ...loop,
    ended: (place) => {
      window.freed(place.language, place.lane);
      if (holding.has(heldIn(place))) loop.wake();
    },
    async stop() {
      clearTimeout(again);
      await loop.stop();
    },
  };
}
