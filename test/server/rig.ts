import { jetstream, type JetStreamClient, type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { type Msg, type NatsConnection, RequestError, TimeoutError } from "@nats-io/transport-node";
import { Registry } from "prom-client";
import { afterAll } from "vitest";
import { type Backbone, createBackbone } from "../../src/server/backbone.ts";
import type { JobPlace } from "../../src/server/broker/jobs.ts";
import type { JudgementDocument, Role, SubmissionSnapshot } from "../../src/server/store/documents.ts";
import { openStore, type Store } from "../../src/server/store/store.ts";
import { systemClock } from "../../src/shared/clock.ts";
import type { CrashPoint } from "../../src/shared/crashpoint.ts";
import type { ExecutorId, ProblemId, SubmissionId } from "../../src/shared/ids.ts";
import type { ProblemManifest } from "../../src/shared/judging.ts";
import type { Lane } from "../../src/shared/lane.ts";
import type { LanguageId } from "../../src/shared/language.ts";
import { DEFAULT_LIMITS, type Limits } from "../../src/shared/limits.ts";
import { createLog } from "../../src/shared/log.ts";
import { connectNats, decodeJson, encodeJson } from "../../src/shared/nats.ts";
import { Job, type JudgeEvent } from "../../src/shared/protocol.ts";
import type { NamedWorkload } from "../../src/shared/workload.ts";
import type { Namespace } from "../support/namespace.ts";
import { until as untilFound } from "../support/processes.ts";
import { consumerOf, eventMessageId, streamOf, subjects, type Topology } from "../../src/shared/topology.ts";
import type { Tracer } from "../../src/shared/trace.ts";

export const SECRET = "a secret for tests, at least 32 characters long";
export const PROBLEM = "hello" as ProblemId;

export interface RigInput {
  readonly mongodbUrl: string;
  readonly natsUrl: string;
  readonly database: string;
  readonly topology: Topology;
  readonly limits?: Partial<Limits>;
  /** Of the store, milliseconds; generous unless a suite takes the database away. */
  readonly timeoutMs?: number;
  readonly instance?: string;
  readonly crash?: CrashPoint;
  readonly tracer?: Tracer;
  readonly webhookAllow?: readonly string[];
  /** Their names are to be in `topology.works`, too. */
  readonly workloads?: readonly NamedWorkload[];
  readonly reconcile?: {
    readonly intervalMs: number;
    readonly quietMs: number;
    readonly stuckAfterMs?: number;
  };
}

/** A server's core on the suite's own database and streams, without its HTTP face. */
export interface Server {
  readonly store: Store;
  readonly backbone: Backbone;
  readonly registry: Registry;
  stop(): Promise<void>;
}

const LOG_LEVEL = process.env["DOCKET_TEST_LOG_LEVEL"] ?? "silent";

export async function startServer(input: RigInput): Promise<Server> {
  const store = await openStore({
    url: input.mongodbUrl,
    database: input.database,
    timeoutMs: input.timeoutMs ?? 10_000,
  });
  const registry = new Registry();
  const backbone = createBackbone({
    store,
    nats: { url: input.natsUrl },
    topology: input.topology,
    limits: { ...DEFAULT_LIMITS, ...input.limits },
    capabilitySecret: SECRET,
    clock: systemClock,
    log: createLog("test", LOG_LEVEL),
    registry,
    instance: input.instance ?? "test",
    crash: input.crash,
    tracer: input.tracer,
    webhookAllow: input.webhookAllow,
    workloads: input.workloads,
    ...(input.reconcile ? { reconcile: input.reconcile } : {}),
  });
  await backbone.start();
  return {
    store,
    backbone,
    registry,
    async stop() {
      await backbone.stop();
      await store.close();
    },
  };
}

const MANIFEST: Omit<ProblemManifest, "problem"> = {
  v: 1,
  name: "Hello",
  limits: {
    timeMs: 1000,
    memoryMiB: 64,
    outputMiB: 8,
    codeKiB: 64,
    compilationTimeMs: 10_000,
    compilationMemoryMiB: 512,
    validationTimeMs: 10_000,
    validationMemoryMiB: 512,
    validationOutputMiB: 8,
  },
  runAllTests: false,
  tests: [],
  validator: { type: "default", args: [] },
};

export async function putProblem(store: Store, problem: ProblemId = PROBLEM): Promise<void> {
  const input = await store.blobs.put(new TextEncoder().encode("1 2\n"));
  const answer = await store.blobs.put(new TextEncoder().encode("3\n"));
  const test = { name: "secret/1", sample: false, input, answer, inputBytes: 4, answerBytes: 2 };
  const manifest = await store.blobs.put(encodeJson({ ...MANIFEST, problem, tests: [test] }));
  await store.problems.put({
    _id: problem,
    name: "Hello",
    manifest,
    blobs: [manifest, input, answer],
    timeMs: 1000,
    memoryMiB: 64,
    codeKiB: 64,
    testCount: 1,
    importedAt: new Date(),
    importedBy: "test",
  });
}

let counter = 0;

export interface ProgramInput {
  readonly owner?: string;
  readonly role?: Role;
  readonly problem?: string;
  readonly language?: string;
  readonly source?: string;
  readonly idempotencyKey?: string;
  readonly lane?: Lane;
}

export const program = (input: ProgramInput = {}) => ({
  owner: input.owner ?? "ann",
  role: input.role ?? ("participant" as const),
  problem: input.problem ?? PROBLEM,
  language: input.language ?? "python",
  files: [{ name: "main.py", content: new TextEncoder().encode(input.source ?? `print(${counter++})`) }],
  idempotencyKey: input.idempotencyKey,
  lane: input.lane,
});

/** Submits and expects it to be accepted. */
export async function accepted(server: Server, input: ProgramInput = {}): Promise<SubmissionSnapshot> {
  const outcome = await server.backbone.submit(program(input));
  if (outcome.type !== "accepted") throw new Error(`${outcome.code}: ${outcome.message}`);
  return outcome.snapshot;
}

/** Without the one note that may be written after its end: when a subscriber was shown it. */
export function withoutDelivery(judgement: JudgementDocument): JudgementDocument {
  const { deliveredAt: _, ...rest } = judgement;
  return rest;
}

/** A job as an executor holds it. */
export interface Held {
  readonly job: Job;
  readonly delivery: number;
  readonly message: Msg;
}

/** Speaks the executors' half of the protocol over NATS; judges nothing. */
export interface Executor {
  readonly id: ExecutorId;
  /** A job, when there is one right now. */
  pull(language?: LanguageId, lane?: Lane): Promise<Held | undefined>;
  /** The next job, asked for until there is one. */
  take(language?: LanguageId, lane?: Lane): Promise<Held>;
  emit(held: Held, seq: number, event: EventBody): Promise<void>;
  ack(held: Held): Promise<void>;
  nak(held: Held, delayMs?: number): Promise<void>;
}

type Body<T> = T extends { type: string } ? Omit<T, Exclude<keyof JudgeEvent, "type">> : never;
export type EventBody = Body<JudgeEvent>;

export interface Wire {
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  executor(id: string): Executor;
  close(): Promise<void>;
}

export async function openWire(input: Pick<RigInput, "natsUrl" | "topology">): Promise<Wire> {
  const { topology } = input;
  const connection = await connectNats({ url: input.natsUrl }, "test");
  const js = jetstream(connection);
  const jsm = await jetstreamManager(connection);

  async function pull(language: LanguageId = "python", lane: Lane = "practice"): Promise<Held | undefined> {
    const subject = `$JS.API.CONSUMER.MSG.NEXT.${streamOf(topology, language)}.${consumerOf(lane)}`;
    const options = { timeout: 2_000, noMux: true };
    const message = await connection
      .request(subject, encodeJson({ batch: 1, no_wait: true }), options)
      .catch((error: unknown) => {
        // The stream or its consumer is away, or the broker is.
        if (error instanceof RequestError || error instanceof TimeoutError) return undefined;
        throw error;
      });
    if (message === undefined || message.headers?.hasError) return undefined;
    const job = decodeJson(Job, message.data);
    // $JS.ACK.<stream>.<consumer>.<deliveries>.…
    const delivery = Number(message.reply?.split(".")[4]);
    return job === undefined ? undefined : { job, delivery, message };
  }

  const executor = (id: string): Executor => ({
    id: id as ExecutorId,
    pull,
    async take(language, lane) {
      for (;;) {
        const held = await pull(language, lane);
        if (held) return held;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async emit({ job, delivery }, seq, body) {
      const { submission, generation, dispatch, kind, capability } = job;
      const event = {
        v: 1,
        kind,
        submission,
        generation,
        dispatch,
        delivery,
        executor: id,
        seq,
        atMs: Date.now(),
        capability,
        ...body,
      };
      await js.publish(subjects.event(topology, id as ExecutorId, submission), encodeJson(event), {
        msgID: eventMessageId(submission, { generation, dispatch, delivery }, seq),
      });
    },
    async ack({ message }) {
      await connection.request(message.reply ?? "", "+ACK", { timeout: 2_000 });
    },
    async nak({ message }, delayMs) {
      const delay = delayMs === undefined ? "" : ` {"delay": ${delayMs * 1_000_000}}`;
      await connection.request(message.reply ?? "", `-NAK${delay}`, { timeout: 2_000 });
    },
  });

  return { connection, js, jsm, executor, close: () => connection.close() };
}

/** Watches until the predicate holds and returns that snapshot. */
export async function until(
  server: Server,
  submission: SubmissionId,
  predicate: (snapshot: SubmissionSnapshot) => boolean,
): Promise<SubmissionSnapshot> {
  for await (const snapshot of server.backbone.feed.watch(submission))
    if (predicate(snapshot)) return snapshot;
  throw new Error("the feed ended before");
}

/** Looks until what is found is good. */
export async function eventually<T>(
  look: () => Promise<T>,
  good: (found: T) => boolean,
  withinMs?: number,
): Promise<T> {
  const found = await untilFound(
    "what the test waits for",
    async () => {
      const value = await look();
      return good(value) ? { value } : undefined;
    },
    withinMs,
  );
  return found.value;
}

/** Removes the job of a submission by hand, waiting or held. */
export async function purgeJob({ jsm }: Wire, topology: Topology, place: JobPlace): Promise<void> {
  const filter = subjects.job(topology, place.language, place.lane, place.submission);
  await jsm.streams.purge(streamOf(topology, place.language), { filter });
}

type SuiteInput = Partial<Omit<RigInput, "mongodbUrl" | "natsUrl" | "database">>;

/**
 * What most suites need, at the top of a test file: a server on the suite's own database and streams, a wire beside it,
 * and the problem. Stopped after the suite.
 */
export async function openSuite(
  ns: Omit<Namespace, "remove">,
  input: SuiteInput = {},
): Promise<{ readonly server: Server; readonly wire: Wire }> {
  const given = { ...ns, ...input };
  const server = await startServer(given);
  const wire = await openWire(given);
  afterAll(async () => {
    await wire.close();
    await server.stop();
  });
  await putProblem(server.store);
  return { server, wire };
}

/** The same with a second server, which knows the first one by the database and the broker alone. */
export async function openPair(
  ns: Omit<Namespace, "remove">,
  input: SuiteInput = {},
): Promise<{ readonly server: Server; readonly other: Server; readonly wire: Wire }> {
  const other = await startServer({ ...ns, ...input, instance: "other" });
  afterAll(() => other.stop());
  return { ...(await openSuite(ns, input)), other };
}
