import { setTimeout as sleep } from "node:timers/promises";
import { type QueueId, queuesOf } from "../../shared/queue.ts";
import { type Repeat, repeat } from "../../shared/repeat.ts";
import { eventStreamOf, RECORDER_CONSUMER } from "../../shared/topology.ts";
import { findJob, jobCount, laneDepths, type LaneDepth, submissionsInStream } from "../broker/jobs.ts";
import type { Lane } from "../../shared/lane.ts";
import { isFinal } from "../store/documents.ts";
import type { QuietJudgement } from "../store/judgements.ts";
import type { Leases } from "../store/leases.ts";
import type { StuckCount } from "./stuckcount.ts";
import { dispatchOrFail, type StuckDeps, unstick } from "./stuck.ts";

export interface ReconcilerDeps extends StuckDeps {
  readonly leases: Leases;
  readonly instance: string;
  readonly mend: () => Promise<void>;
  readonly stuck: StuckCount;
  /** Between two rounds, milliseconds. */
  readonly intervalMs: number;
  /** Judgements that changed since are left alone, milliseconds. */
  readonly quietMs: number;
}

const LEASE = "reconciler";
/** One round in so many looks at every judgement under way; the others only where jobs are fewer. */
const WHOLE_EVERY = 12;
/** Longest wait for the recorder to have read what executors had said, milliseconds; then the next round. */
const FLOOR_WAIT_MS = 5_000;
const FLOOR_LOOK_MS = 100;

/**
 * Finds unfinished judgements that no job and no unread event stands for any more (streams lost, a zombie's late
 * ack, a purge by hand) and dispatches them anew. One server at a time, by a lease; every step is guarded, so two
 * at once do no harm either.
 */
export function createReconciler(deps: ReconcilerDeps): Repeat {
  const { link, judgements, log, measures } = deps;
  const jobs = () => ({ jsm: link.use().jsm, topology: deps.topology });
  let rounds = 0;
  /** Jobs that looked stuck in the last whole round. */
  let suspects = new Set<string>();
  let nextSuspects = new Set<string>();

  /** Has the recorder read every event that was there when this was called? False when that takes too long. */
  async function eventsAreRead(signal: AbortSignal): Promise<boolean> {
    const { jsm } = link.use();
    const stream = eventStreamOf(deps.topology);
    const last = (await jsm.streams.info(stream)).state.last_seq;
    const until = deps.clock.now() + FLOOR_WAIT_MS;
    for (;;) {
      const consumer = await jsm.consumers.info(stream, RECORDER_CONSUMER);
      if (consumer.ack_floor.stream_seq >= last || consumer.num_pending + consumer.num_ack_pending === 0)
        return true;
      if (signal.aborted || deps.clock.now() > until) return false;
      await sleep(FLOOR_LOOK_MS);
    }
  }

  /** Of what this deployment has no queue for any more, nothing can be told: it waits until it has one again. */
  const queues = new Set<QueueId>(queuesOf(deps.topology));

  /**
   * Those whose job is in no stream. `there` sorts out the many that are fine; each of the others is looked up by
   * subject and id, after its judgement was read: what was published meanwhile is found.
   */
  async function withoutJob(
    quiet: readonly QuietJudgement[],
    there: ReadonlySet<string>,
  ): Promise<QuietJudgement[]> {
    const lost: QuietJudgement[] = [];
    for (const judgement of quiet) {
      // Under its subject there can be another job only if there was another one.
      const first = judgement.dispatch === 1 && judgement.generation === 1;
      if (first && there.has(judgement.submission)) continue;
      const job = (await findJob(jobs(), judgement))?.job;
      if (job?.dispatch !== judgement.dispatch || job.generation !== judgement.generation)
        lost.push(judgement);
    }
    return lost;
  }

  /** Those that could not be dispatched. */
  async function dispatchLost(lost: readonly QuietJudgement[], signal: AbortSignal): Promise<string[]> {
    const unmended: string[] = [];
    if (lost.length === 0 || !(await eventsAreRead(signal))) return unmended;
    for (const before of lost) {
      if (signal.aborted) break;
      // Read again: the last events may have finished it. The guard of the raise covers the time after.
      const judgement = await judgements.get(before._id);
      if (!judgement || isFinal(judgement.state) || judgement.dispatch !== before.dispatch) continue;
      if (judgement.state === "PENDING") continue;
      log.warn(
        { submission: judgement.submission, dispatch: judgement.dispatch },
        "a job was lost; dispatching anew",
      );
      if (await dispatchOrFail(deps, judgement)) measures.mended.inc({ reason: "lost" });
      else unmended.push(judgement._id);
    }
    return unmended;
  }

  /**
   * A job in the stream that its consumer neither will deliver nor has out: delivered too often, and the advisory was
   * lost; or the broker took a word for it and, stopped or killed just then, kept the message. Seen so in two whole
   * rounds before anything is done. Only one that was dispatched anew for this again and again is given up.
   */
  async function unstickQuiet(
    quiet: readonly QuietJudgement[],
    depths: ReadonlyMap<Lane, LaneDepth>,
  ): Promise<void> {
    for (const quietOne of quiet) {
      const depth = depths.get(quietOne.lane);
      if (depth === undefined) continue;
      const found = await findJob(jobs(), quietOne);
      if (found?.job?.dispatch !== quietOne.dispatch) continue;
      if (depth.waiting + depth.running > 0 && found.seq > depth.settledTo) continue;
      const suspect = `${quietOne._id}@${found.seq}`;
      nextSuspects.add(suspect);
      if (!suspects.has(suspect)) continue;
      const judgement = await judgements.get(quietOne._id);
      if (judgement && !isFinal(judgement.state) && judgement.dispatch === quietOne.dispatch) {
        log.warn({ submission: judgement.submission, dispatch: judgement.dispatch }, "a job was stuck");
        if (judgement.dispatch >= deps.tries) await unstick(deps, judgement);
        else if (await dispatchOrFail(deps, judgement)) measures.mended.inc({ reason: "stuck" });
      }
    }
  }

  async function reconcile(language: QueueId, quiet: readonly QuietJudgement[], signal: AbortSignal) {
    const depths = await laneDepths(jobs(), language);
    const there = await submissionsInStream(jobs(), language);
    const lost = new Set(await withoutJob(quiet, there));
    deps.stuck.note(language, await dispatchLost([...lost], signal));
    await unstickQuiet(
      quiet.filter((judgement) => !lost.has(judgement)),
      depths,
    );
  }

  /** Languages with more judgements under way than jobs. */
  async function shortOfJobs(): Promise<ReadonlySet<QueueId>> {
    const short = new Set<QueueId>();
    for (const [language, count] of await judgements.underWay()) {
      if (!queues.has(language)) continue;
      if ((await jobCount(jobs(), language)) < count) short.add(language);
    }
    return short;
  }

  async function round(signal: AbortSignal): Promise<void> {
    // A message that nobody needs any more could hide a lost one from the count, so now and then all are looked at.
    // And soon again after one that found something odd.
    const whole = rounds++ % WHOLE_EVERY === 0 || suspects.size > 0;
    const short = await shortOfJobs();
    if (!whole && short.size === 0) return;
    const quiet: QuietJudgement[] = [];
    // Bounded by what the windows hold.
    for await (const one of judgements.quiet(new Date(deps.clock.now() - deps.quietMs))) {
      if (queues.has(one.language) && (whole || short.has(one.language))) quiet.push(one);
    }
    for (const [language, own] of Map.groupBy(quiet, (judgement) => judgement.language)) {
      if (signal.aborted) return;
      await reconcile(language, own, signal);
    }
    for (const language of queues) {
      const looked = whole || short.has(language);
      if (looked && quiet.every((one) => one.language !== language)) deps.stuck.note(language, []);
    }
    if (!whole) return;
    suspects = nextSuspects;
    nextSuspects = new Set();
  }

  const loop = repeat({
    name: "reconciler",
    intervalMs: deps.intervalMs,
    log,
    async act(signal) {
      if (!link.connected()) return;
      // Short, so that a dead leader is soon followed: a round that outlasts it may overlap with another's.
      const ttlMs = deps.intervalMs * 2;
      const term = await deps.leases.acquire({ name: LEASE, holder: deps.instance, ttlMs });
      if (term === undefined) {
        deps.stuck.clear();
        return;
      }
      await deps.mend();
      await round(signal);
      deps.stuck.rounded();
    },
  });
  return {
    ...loop,
    async stop() {
      await loop.stop();
      await deps.leases.release({ name: LEASE, holder: deps.instance }).catch(() => undefined);
    },
  };
}
