import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll } from "vitest";
import { newSubmissionId, type SubmissionId } from "../../../src/shared/ids.ts";
import type { Lane } from "../../../src/shared/lane.ts";
import { connectNats, decodeJson, encodeJson } from "../../../src/shared/nats.ts";
import { type Job, JudgeEvent } from "../../../src/shared/protocol.ts";
import type { QueueId } from "../../../src/shared/queue.ts";
import {
  eventStreamConfig,
  jobMessageId,
  jobStreamConfig,
  laneConsumerConfig,
  streamOf,
  subjects,
  type Topology,
} from "../../../src/shared/topology.ts";
import { SLEEP_KIND, type SleepPayload } from "./sleepkind.ts";

export interface JobOptions {
  readonly language?: QueueId;
  readonly lane?: Lane;
  readonly generation?: number;
  readonly dispatch?: number;
  readonly submission?: SubmissionId;
  readonly deadlineMs?: number;
  readonly kind?: string;
  readonly capability?: string;
}

/** The server's side as a test plays it: streams, jobs, and every event as it comes. */
export interface Stage {
  readonly nats: NatsConnection;
  readonly events: readonly JudgeEvent[];
  putJob(payload: SleepPayload, options?: JobOptions): Promise<SubmissionId>;
  /** Resolves with the events once `wanted` finds something in them. Rejects after `ms`. */
  until<T>(wanted: (events: readonly JudgeEvent[]) => T | undefined, ms?: number): Promise<T>;
  ofSubmission(submission: SubmissionId): readonly JudgeEvent[];
  /** The first event of that type about that submission. */
  seen(submission: SubmissionId, type: JudgeEvent["type"], ms?: number): Promise<JudgeEvent>;
  finished(submission: SubmissionId, ms?: number): Promise<JudgeEvent>;
  /** Jobs left in a language's stream. */
  waiting(language?: QueueId): Promise<number>;
  /** The broker loses the language's jobs and counts, and the servers make stream and consumers again. */
  makeAnew(language: QueueId): Promise<void>;
  close(): Promise<void>;
}

export const TEST_LANES: readonly Lane[] = ["contest", "practice", "custom", "rejudge"];

export async function openStage(
  natsUrl: string,
  topology: Topology,
  languages: readonly QueueId[] = ["python"],
): Promise<Stage> {
  const nats = await connectNats({ url: natsUrl }, "stage");
  const manager = await jetstreamManager(nats);
  const js = jetstream(nats);
  await manager.streams.add(eventStreamConfig(topology));
  const addQueue = async (language: QueueId): Promise<void> => {
    await manager.streams.add(jobStreamConfig(topology, language));
    for (const lane of TEST_LANES) {
      await manager.consumers.add(streamOf(topology, language), laneConsumerConfig(topology, language, lane));
    }
  };
  for (const language of languages) await addQueue(language);
  const events: JudgeEvent[] = [];
  const watchers = new Set<() => void>();
  // A plain subscription sees each publish, also one that the stream takes for a repetition or refuses.
  nats.subscribe(subjects.allEvents(topology), {
    callback: (_error, message) => {
      const event = decodeJson(JudgeEvent, message.data);
      if (event === undefined) throw new Error(`unreadable event on ${message.subject}`);
      events.push(event);
      for (const watcher of watchers) watcher();
    },
  });

  const until: Stage["until"] = (wanted, ms = 20_000) =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = wanted(events);
        if (found === undefined) return;
        clearTimeout(timer);
        watchers.delete(look);
        resolve(found);
      };
      const timer = setTimeout(() => {
        watchers.delete(look);
        const seen = events.map((e) => `${e.submission.slice(-6)} ${e.type} ${e.executor} d${e.delivery}`);
        reject(new Error(`not seen within ${ms} ms; events:\n${seen.join("\n")}`));
      }, ms);
      watchers.add(look);
      look();
    });

  const seen: Stage["seen"] = (submission, type, ms) =>
    until((all) => all.find((e) => e.submission === submission && e.type === type), ms);

  return {
    nats,
    events,
    until,
    seen,
    putJob: async (payload, options = {}) => {
      const submission = options.submission ?? newSubmissionId(Date.now());
      const job: Job = {
        v: 1,
        kind: options.kind ?? SLEEP_KIND,
        submission,
        generation: options.generation ?? 1,
        dispatch: options.dispatch ?? 1,
        language: options.language ?? "python",
        lane: options.lane ?? "practice",
        capability: options.capability ?? "test-capability",
        deadlineMs: options.deadlineMs ?? 60_000,
        payload,
      };
      await js.publish(subjects.job(topology, job.language, job.lane, submission), encodeJson(job), {
        msgID: jobMessageId(submission, job.generation, job.dispatch),
      });
      return submission;
    },
    ofSubmission: (submission) => events.filter((event) => event.submission === submission),
    finished: (submission, ms) => seen(submission, "finished", ms),
    waiting: async (language = "python") =>
      (await manager.streams.info(streamOf(topology, language))).state.messages,
    makeAnew: async (language) => {
      await manager.streams.delete(streamOf(topology, language));
      await addQueue(language);
    },
    close: () => nats.close(),
  };
}

/** A folder of the suite's own that goes away with it. */
export function temporaryFolder(): () => string {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "docket-backbone-"));
    // An executor's own user must reach what is below.
    await chmod(folder, 0o711);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return () => folder;
}

export interface ExecutorProcess {
  readonly child: ChildProcess;
  readonly url: string;
  readonly log: readonly string[];
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Starts an executor process, the one of the tests unless told otherwise, and resolves at its ready line. */
export async function startExecutorProcess(
  env: NodeJS.ProcessEnv,
  how: { readonly main?: string; readonly uid?: number } = {},
): Promise<ExecutorProcess> {
  const { main = join(import.meta.dirname, "testexecutor.ts"), uid } = how;
  const child = spawn(process.execPath, [main], {
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  const log: string[] = [];
  createInterface(child.stderr).on("line", (line) => log.push(line));
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  const ready = new Promise<string>((resolve) => {
    createInterface(child.stdout).on("line", (line) => resolve(line));
  });
  const line = await Promise.race([ready, exited]);
  if (typeof line !== "string")
    throw new Error(`ended with code ${line.code} before it was ready:\n${log.join("\n")}`);
  const { url } = JSON.parse(line) as { url: string };
  return { child, url, log, exited, kill: (signal) => void child.kill(signal) };
}

export function executorEnv(
  natsUrl: string,
  topology: Topology,
  more: { readonly id: string; readonly workDir: string } & Record<string, string>,
): NodeJS.ProcessEnv {
  const { id, workDir, ...rest } = more;
  return {
    DOCKET_EXECUTOR_ID: id,
    DOCKET_POOL: "test",
    DOCKET_LANGUAGES: "python",
    DOCKET_LANES: TEST_LANES.join(","),
    DOCKET_SLOTS: "2",
    // No server is there to tell of the pool.
    DOCKET_HEAR_POOL_MS: "0",
    NATS_URL: natsUrl,
    DOCKET_SERVER_URL: "http://127.0.0.1:9",
    DOCKET_TOPOLOGY_PREFIX: topology.prefix,
    DOCKET_WORK_DIR: workDir,
    DOCKET_LOG_LEVEL: "debug",
    ...rest,
  };
}
