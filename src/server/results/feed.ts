import type { Clock } from "../../shared/clock.ts";
import type { JudgementId, SubmissionId } from "../../shared/ids.ts";
import { judgementId } from "../../shared/ids.ts";
import type { Service } from "../../shared/lifecycle.ts";
import type { Tracer } from "../../shared/trace.ts";
import { traceDelivery } from "../intake/judgementtrace.ts";
import type { Log } from "../../shared/log.ts";
import { decodeJson } from "../../shared/nats.ts";
import { Announcement } from "../../shared/protocol.ts";
import { repeat } from "../../shared/repeat.ts";
import { subjects, type Topology } from "../../shared/topology.ts";
import type { Link } from "../broker/link.ts";
import { type JudgementDocument, revisionOf, type SubmissionSnapshot } from "../store/documents.ts";
import type { Store } from "../store/store.ts";
import { createWatcher, type Watcher } from "./watcher.ts";

export interface Feed extends Service {
  /**
   * The newest snapshot if its revision is above `afterRevision`, then each newer one, ending after a final one.
   * A slow reader gets the newest only. Ends without a word when there is no such submission. Throws
   * StoreUnavailable when the first read fails; later outages only delay.
   */
  watch(submission: SubmissionId, afterRevision?: number): AsyncIterableIterator<SubmissionSnapshot>;
  /** Open watches of this server. */
  watchers(): number;
  /** Something that this server itself has just stored: spares the read. */
  stored(judgement: JudgementDocument): void;
}

/** A lost announcement delays an update by so long at most, milliseconds. */
const SWEEP_MS = 3_000;
const SWEEP_BATCH = 500;
/** When final states were handed out is written together, every so many milliseconds, of so many at most. */
const DELIVERED_MS = 1_000;
const DELIVERED_MOST = 10_000;

/** A submission that somebody watches. */
interface Watched {
  readonly watchers: Set<Watcher>;
  newest: SubmissionSnapshot | undefined;
  reading: Promise<void> | undefined;
  readAgain: boolean;
}

const knownRevision = (watched: Watched): number =>
  watched.newest === undefined ? -1 : revisionOf(watched.newest.judgement);

export function createFeed(deps: {
  readonly store: Pick<Store, "snapshots" | "judgements">;
  readonly link: Link;
  readonly topology: Topology;
  readonly clock: Clock;
  readonly tracer: Tracer;
  readonly log: Log;
}): Feed {
  const { store, link, log } = deps;
  const all = new Map<string, Watched>();
  let count = 0;

  function publish(watched: Watched, snapshot: SubmissionSnapshot): void {
    if (revisionOf(snapshot.judgement) <= knownRevision(watched)) return;
    watched.newest = snapshot;
    for (const watcher of watched.watchers) watcher.offer(snapshot);
  }

  /** Reads and publishes; what is asked for meanwhile is read once more. Throws StoreUnavailable. */
  function read(id: SubmissionId, watched: Watched): Promise<void> {
    if (watched.reading !== undefined) {
      watched.readAgain = true;
      return watched.reading;
    }
    const run = async (): Promise<void> => {
      do {
        watched.readAgain = false;
        const snapshot = await store.snapshots.get(id);
        if (snapshot) publish(watched, snapshot);
      } while (watched.readAgain);
    };
    watched.reading = run().finally(() => {
      watched.reading = undefined;
    });
    return watched.reading;
  }

  function readLater(id: SubmissionId, watched: Watched): void {
    // The sweep comes back to it.
    read(id, watched).catch((error: unknown) =>
      log.warn({ err: error, submission: id }, "cannot read an update"),
    );
  }

  const sweep = repeat({
    name: "feed",
    intervalMs: SWEEP_MS,
    log,
    async act(signal) {
      const ids = [...all.keys()] as SubmissionId[];
      for (let i = 0; i < ids.length && !signal.aborted; i += SWEEP_BATCH) {
        // The generation after the known one shows a rejudge.
        const wanted = ids.slice(i, i + SWEEP_BATCH).flatMap((id) => {
          const generation = all.get(id)?.newest?.submission.generation ?? 1;
          return [judgementId(id, generation), judgementId(id, generation + 1)];
        });
        for (const head of await store.judgements.heads(wanted)) {
          const watched = all.get(head.submission);
          if (watched && revisionOf(head) > knownRevision(watched)) readLater(head.submission, watched);
        }
      }
    },
  });

  link.subscribe(subjects.allUpdates(deps.topology), (message) => {
    const id = message.subject.slice(message.subject.lastIndexOf(".") + 1);
    const watched = all.get(id);
    if (watched === undefined) return;
    const announcement = decodeJson(Announcement, message.data);
    if (announcement && announcement.revision > knownRevision(watched))
      readLater(id as SubmissionId, watched);
  });
  link.onUp(async () => sweep.wake());

  /** Final states handed out and not yet written down; losing some is harmless. */
  let delivered = new Map<JudgementId, Date>();
  const writer = repeat({
    name: "deliveries of final states",
    intervalMs: DELIVERED_MS,
    log,
    async act() {
      if (delivered.size === 0) return;
      const group = delivered;
      delivered = new Map();
      await store.judgements.delivered(group);
    },
  });

  return {
    name: "feed",
    async start() {
      await sweep.start();
      await writer.start();
    },
    async stop() {
      await sweep.stop();
      await writer.stop();
      for (const watched of all.values())
        for (const watcher of watched.watchers) await watcher.iterator.return?.();
    },
    watchers: () => count,
    stored(judgement) {
      const watched = all.get(judgement.submission);
      if (watched === undefined) return;
      const submission = watched.newest?.submission;
      if (submission?.generation === judgement.generation) publish(watched, { submission, judgement });
      else readLater(judgement.submission, watched);
    },
    watch(id, afterRevision = -1) {
      const watcher = createWatcher({
        afterRevision,
        async open(self) {
          // Listening comes before reading: whatever is stored after the read is announced to a listener.
          const watched = all.get(id) ?? {
            watchers: new Set(),
            newest: undefined,
            reading: undefined,
            readAgain: false,
          };
          all.set(id, watched);
          watched.watchers.add(self);
          count += 1;
          await read(id, watched);
          return watched.newest;
        },
        delivered({ judgement }) {
          if (judgement.deliveredAt !== undefined || delivered.has(judgement._id)) return;
          if (delivered.size >= DELIVERED_MOST) return;
          const at = new Date(deps.clock.now());
          delivered.set(judgement._id, at);
          traceDelivery(deps.tracer, judgement, at);
        },
        close(self) {
          const watched = all.get(id);
          if (!watched?.watchers.delete(self)) return;
          count -= 1;
          if (watched.watchers.size === 0) all.delete(id);
        },
      });
      return watcher.iterator;
    },
  };
}
