import type { Registry } from "prom-client";
import type { Clock } from "../shared/clock.ts";
import type { CrashPoint } from "../shared/crashpoint.ts";
import type { ExecutorId, ProblemId, RejudgeId, SubmissionId } from "../shared/ids.ts";
import type { QueueId } from "../shared/queue.ts";
import { type Service, startAll, stopAll } from "../shared/lifecycle.ts";
import type { Limits } from "../shared/limits.ts";
import type { Log } from "../shared/log.ts";
import type { NatsAccess } from "../shared/nats.ts";
import type { Topology } from "../shared/topology.ts";
import { NO_TRACER, type Tracer } from "../shared/trace.ts";
import type { ScaleByPool } from "../shared/scaling.ts";
import type { NamedWorkload } from "../shared/workload.ts";
import { createLink } from "./broker/link.ts";
import { createTopologyKeeper } from "./broker/topology.ts";
import { countEvictions, countRefusals } from "./overflow.ts";
import { createFleet, type ExecutorView, type LanguageOffer } from "./fleet.ts";
import { createAdmission } from "./intake/admission.ts";
import { codeRunWork, runCode, type RunCodeInput } from "./intake/coderun.ts";
import { createContestCache } from "./intake/contest.ts";
import { createLine } from "./intake/line.ts";
import { createIntakeMeasures } from "./intake/measures.ts";
import { createJudgeWork } from "./intake/judgework.ts";
import type { SubmitInput, SubmitOutcome, Wait } from "./intake/outcome.ts";
import { createOutbox } from "./intake/outbox.ts";
import { createProblemCache } from "./intake/problemcache.ts";
import { createQueuedMarker } from "./intake/queued.ts";
import { redispatch } from "./intake/redispatch.ts";
import { submit, type SubmitDeps } from "./intake/submit.ts";
import { submitWork, type SubmitWorkInput } from "./intake/submitwork.ts";
import type { WorkKind } from "./intake/work.ts";
import { createWorkloadKind } from "./intake/workload.ts";
import { createWindow } from "./intake/window.ts";
import { createPaused } from "./paused.ts";
import { createPoolControl } from "./poolcontrol.ts";
import { createQueues, type QueueView } from "./queues.ts";
import { reinstate, type ReinstateOutcome } from "./reinstate.ts";
import { createAdvisoryReader } from "./results/advisories.ts";
import { cancel, type CancelOutcome } from "./results/cancel.ts";
import { createFeed, type Feed } from "./results/feed.ts";
import { answerFenceChecks } from "./results/fence.ts";
import { createResultMeasures, measureWatchers } from "./results/measures.ts";
import { createOrphanCollector } from "./results/orphans.ts";
import { createReconciler } from "./results/reconciler.ts";
import { discard, type DiscardOutcome } from "./results/discard.ts";
import { createRecorder } from "./results/recorder.ts";
import { createStuckCount } from "./results/stuckcount.ts";
import { measureBacklog } from "./results/backlog.ts";
import { createReject } from "./results/reject.ts";
import { redrive, redriveMany, type RedriveOutcome } from "./results/redrive.ts";
import { applyRejudge, cancelRejudge, type RejudgeOutcome } from "./rejudge/apply.ts";
import { createRejudgeKeeper } from "./rejudge/keeper.ts";
import { createRejudge, type CreateRejudgeInput, type CreateRejudgeOutcome } from "./rejudge/rejudge.ts";
import { createPools, type PoolView } from "./scaling/pools.ts";
import { createTimeLimits } from "./timelimits.ts";
import { createServiceTimes } from "./waits/servicetimes.ts";
import { createWaits } from "./waits/waits.ts";
import { createUnfinished } from "./unfinished.ts";
import { considerTakeOut } from "./problems/takeout.ts";
import type { DeadLetterFilter } from "./store/deadletters.ts";
import type { JudgementDocument } from "./store/documents.ts";
import type { PoolSettingsDocument } from "./store/poolsettings.ts";
import type { Store } from "./store/store.ts";
import { createWebhookCalls, type WebhookCalls } from "./webhooks/webhooks.ts";

export interface BackboneDeps {
  readonly store: Store;
  readonly nats: NatsAccess;
  readonly topology: Topology;
  readonly limits: Limits;
  /** Kinds of work besides judging; their names are in `topology.works`, too. */
  readonly workloads?: readonly NamedWorkload[] | undefined;
  /** Signs job capabilities; the same on every server. */
  readonly capabilitySecret: string;
  readonly clock: Clock;
  /** Left out: no traces. */
  readonly tracer?: Tracer | undefined;
  readonly log: Log;
  /** The backbone's own metrics are registered here. */
  readonly registry: Registry;
  /** Name of this server process, e.g. host and pid: holds leases. */
  readonly instance: string;
  /** Private addresses and ranges that webhooks may call all the same; none by default. */
  readonly webhookAllow?: readonly string[] | undefined;
  /** Settings of pools, by name; those not named have the default. */
  readonly scale?: ScaleByPool | undefined;
  /** Tests end the process at a named place; src/shared/crashpoint.ts. */
  readonly crash?: CrashPoint | undefined;
  /**
   * Between two rounds of the reconciler, how long a judgement must be quiet for it, and after how long one that it
   * cannot mend counts as stuck, milliseconds.
   */
  readonly reconcile?: Partial<typeof RECONCILE> | undefined;
}

/** The part of the server that carries a submission from intake to its verdict; a Service. */
export interface Backbone extends Service {
  submit(input: SubmitInput): Promise<SubmitOutcome>;
  /** Work of another kind than judging. */
  submitWork(input: SubmitWorkInput): Promise<SubmitOutcome>;
  /** A program on its owner's own input, without a problem. */
  runCode(input: RunCodeInput): Promise<SubmitOutcome>;
  /** Throws StoreUnavailable. Whether the caller may is checked before. */
  cancel(submission: SubmissionId): Promise<CancelOutcome>;
  /** Judges a dead letter again. Throws StoreUnavailable. */
  redrive(input: { submission: SubmissionId; by: string }): Promise<RedriveOutcome>;
  /** At most `limit` of those that fit, newest first. Throws StoreUnavailable. */
  redriveMany(input: {
    filter: DeadLetterFilter;
    by: string;
    limit: number;
  }): Promise<{ redriven: number; more: boolean }>;
  /** Lays a dead letter aside. Throws StoreUnavailable. */
  discard(input: { submission: SubmissionId; by: string; reason: string }): Promise<DiscardOutcome>;
  /** Stores the wish to judge a set again; it goes on in the background. Throws StoreUnavailable. */
  createRejudge(input: CreateRejudgeInput): Promise<CreateRejudgeOutcome>;
  /** Makes what it judged count, all or nothing; repeatable. Throws StoreUnavailable. */
  applyRejudge(input: { id: RejudgeId; by: string }): Promise<RejudgeOutcome>;
  /** Drops it and stops what still runs for it; repeatable. Throws StoreUnavailable. */
  cancelRejudge(input: { id: RejudgeId; by: string }): Promise<RejudgeOutcome>;
  readonly webhooks: Omit<WebhookCalls, "services" | "judgements">;
  readonly feed: Pick<Feed, "watch" | "watchers">;
  languages(): LanguageOffer[];
  executors(): ExecutorView[];
  /** Tells the pool's executors at once what was stored for it. */
  poolChanged(settings: PoolSettingsDocument): void;
  /** Tells an executor to offer again what it has taken out. */
  reinstate(input: { executor: string; language?: QueueId | undefined }): Promise<ReinstateOutcome>;
  /** Every language and lane; two to four seconds old, older when very much waits. Throws StoreUnavailable. */
  queues(): Promise<QueueView[]>;
  /** Pools and how many executors each should have; at most two seconds old. Throws StoreUnavailable. */
  pools(): Promise<readonly PoolView[]>;
  /** Where it stands while it waits; seconds old at most. Throws StoreUnavailable. */
  waitOf(judgement: JudgementDocument): Promise<Wait | undefined>;
  /** Is NATS connected now? */
  connected(): boolean;
}

export type { CancelOutcome, ExecutorView, Feed, LanguageOffer, QueueView, SubmitInput, SubmitOutcome };

const RECONCILE = { intervalMs: 5_000, quietMs: 5_000, stuckAfterMs: 30_000 };

/**
 * Wires the backbone. `start` returns with NATS connected and the streams made, or after three seconds without;
 * everything goes on by itself when NATS comes. `stop` ends what runs and leaves the store open.
 */
export function createBackbone(given: BackboneDeps): Backbone {
  const { topology, limits, clock, log, registry, instance, capabilitySecret } = given;
  const workloads = given.workloads ?? [];
  const tracer = given.tracer ?? NO_TRACER;
  const crash: CrashPoint = given.crash ?? (() => undefined);
  const webhooks = createWebhookCalls({ ...given, crash, allow: given.webhookAllow ?? [] });
  // Every final state is written through it.
  const { judgements } = webhooks;
  const store: Store = { ...given.store, judgements };
  const evicted = countEvictions(registry);

  const link = createLink({ access: given.nats, name: `docket server ${instance}`, log });
  // First: whoever else acts on a connect needs the streams.
  const mend = createTopologyKeeper({ link, topology, log });

  const measures = createIntakeMeasures(registry, countRefusals(registry));
  const judging = createJudgeWork({ ...store, evicted });
  const kinds: readonly WorkKind[] = [judging, codeRunWork, ...workloads.map(createWorkloadKind)];
  const works = new Map(kinds.map((work) => [work.kind, work]));
  const window = createWindow({
    link,
    topology,
    size: limits.dispatchWindow,
    refilled: () => line.wake(),
    log,
  });
  const queued = createQueuedMarker({ judgements, link, topology, clock, log });
  const fleet = createFleet({
    link,
    topology,
    clock,
    evicted,
    onPresence: (presence) => poolControl.heard(presence),
  });
  const poolControl = createPoolControl({
    settings: store.poolSettings,
    link,
    topology,
    executors: () => fleet.executors(),
    log,
  });
  const paused = createPaused({ ...store, resumed: () => line.wake(), clock, log });
  const dispatch = {
    link,
    topology,
    capabilitySecret,
    works,
    window,
    measures,
    crash,
    store,
    queued,
    clock,
    tracer,
    log,
    mend,
    // Of a paused queue nothing goes out: it is held, and waits in line.
    mostOut: (queue: QueueId) =>
      paused.known() && paused.of(queue) === undefined ? limits.ownerWindow + fleet.slots(queue) : 0,
    isPaused: (problem: ProblemId) => paused.ofProblem(problem) !== undefined,
  };
  const unfinished = createUnfinished({ held: store.held, judgements, clock });
  const line = createLine(dispatch);
  const wakeLine = (): void => line.wake();
  const outbox = createOutbox({ ...dispatch, wakeLine });
  link.onUp(async () => {
    outbox.wake();
    line.wake();
  });
  const serviceTimes = createServiceTimes({ stored: store.serviceTimes, log });
  const waits = createWaits({
    held: store.held,
    unfinished,
    serviceTimes,
    executors: () => fleet.executors(),
    whyNot: (place) => {
      const pause = paused.of(place.language);
      return pause === undefined ? fleet.whyNot(place) : `${place.language} is paused: ${pause.reason}`;
    },
    whyNotProblem: (problem) => {
      const pause = paused.ofProblem(problem);
      return pause === undefined ? undefined : `the problem ${problem} is paused: ${pause.reason}`;
    },
    evicted,
  });
  const admission = createAdmission({
    allowances: store.admission,
    limits,
    recountAbove: Math.ceil(limits.ownerWindow / 2),
    log,
  });
  const submitDeps: SubmitDeps = {
    ...dispatch,
    limits,
    admission,
    waitOfNew: (input) => waits.ofNew(input),
    findContest: createContestCache({ contests: store.contests, clock, evicted }),
    wakeLine,
    notOffered: (language) => fleet.notOffered(language),
    findProblem: createProblemCache({ problems: store.problems, clock, evicted }),
    wakeOutbox: () => outbox.wake(),
  };

  const feed = createFeed({ store, link, topology, clock, tracer, log });
  const resultMeasures = createResultMeasures(registry);
  const settling = {
    works,
    link,
    topology,
    log,
    clock,
    tracer,
    judgements,
    store,
    measures: resultMeasures,
    reject: createReject({ rejected: store.rejected, clock, measures: resultMeasures, log }),
    stored: (judgement: Parameters<Feed["stored"]>[0]) => feed.stored(judgement),
    ended: (judgement: Parameters<Feed["stored"]>[0]) => {
      line.ended(judgement);
      serviceTimes.ended(judgement);
      considerTakeOut({ store, clock, log }, judgement).catch((error: unknown) =>
        log.error({ err: error, problem: judgement.problem }, "could not look whether to take out a problem"),
      );
    },
    tries: limits.tries,
    heardOf: (executor: ExecutorId) => fleet.heardOf(executor),
    evicted,
    crash,
    mend,
    wakeOutbox: () => outbox.wake(),
  };
  const queues = createQueues({ unfinished, link, topology });
  const reconcile = { ...RECONCILE, ...given.reconcile };
  const stuck = createStuckCount({ registry, clock, afterMs: reconcile.stuckAfterMs });
  measureBacklog({ registry, store, unfinished, link, topology, clock });
  measureWatchers(registry, () => feed.watchers());
  const mending = {
    ...settling,
    redispatch: (lost: Parameters<typeof redispatch>[1]) => redispatch(dispatch, lost),
  };
  const rejudging = { ...settling, leases: store.leases, instance };
  const rejudges = createRejudgeKeeper(rejudging);
  const wakeRejudges = (): void => rejudges.wake();
  answerFenceChecks(settling);
  const services: readonly Service[] = [
    link,
    window.refresh,
    paused.refresh,
    poolControl.refresh,
    queued,
    outbox,
    line,
    admission,
    serviceTimes,
    feed,
    createRecorder({ ...settling, capabilitySecret }),
    createAdvisoryReader(mending),
    createReconciler({ ...mending, leases: store.leases, instance, stuck, ...reconcile }),
    createOrphanCollector({ store, clock, instance, log }),
    rejudges,
    createTimeLimits({ store, clock, log, submit: (input) => submit(submitDeps, input) }),
    ...webhooks.services,
  ];

  return {
    name: "backbone",
    start: () => startAll(services, log),
    stop: () => stopAll(services, log),
    submit: (input) => submit(submitDeps, input),
    submitWork: (input) => submitWork({ ...submitDeps, workloads }, input),
    runCode: (input) => runCode(submitDeps, input),
    cancel: (submission) => cancel(settling, submission),
    redrive: (input) => redrive(settling, input),
    redriveMany: (input) => redriveMany(settling, input),
    discard: (input) => discard(settling, input),
    createRejudge: (input) => createRejudge({ store, limits, clock, log, wake: wakeRejudges }, input),
    applyRejudge: (input) => applyRejudge(rejudging, input),
    cancelRejudge: (input) => cancelRejudge({ store, clock, log, wake: wakeRejudges }, input),
    webhooks,
    feed,
    languages: () => fleet.languages(),
    executors: () => fleet.executors(),
    poolChanged: (settings) => poolControl.changed(settings),
    reinstate: (input) => reinstate({ link, topology, fleet, clock }, input),
    waitOf: (judgement) => waits.of(judgement),
    queues,
    pools: createPools({
      queues,
      executors: () => fleet.executors(),
      serviceTimes,
      paused: (queue) => paused.of(queue) !== undefined,
      connected: () => link.connected(),
      scaleOf: given.scale ?? {},
    }),
    connected: () => link.connected(),
  };
}
