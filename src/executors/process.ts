import { Registry } from "prom-client";
import { systemClock } from "../shared/clock.ts";
import { EnvironmentError } from "../shared/env.ts";
import { EXIT, type Service, startAll, stopAll, stopOnSignal } from "../shared/lifecycle.ts";
import type { Log } from "../shared/log.ts";
import { createTracer } from "../shared/otlp.ts";
import { WorkloadUnfit } from "../shared/workload.ts";
import type { ExecutorConfig } from "./config.ts";
import { BrokerRefused } from "./backbone/connect.ts";
import { type Executor, type ExecutorDeps, openExecutor } from "./executor.ts";

/** What a process adds to the backbone: the kinds of work, the languages, and services that end after it. */
export type ProcessInput = Pick<ExecutorDeps, "kinds" | "tested" | "retest" | "version" | "registry"> & {
  readonly config: ExecutorConfig;
  readonly log: Log;
  /** Started before the backbone, stopped after it. */
  readonly before?: readonly Service[];
};

/** Runs the backbone in this process: prints the ready line, drains and ends on a signal. */
export async function runExecutor(input: ProcessInput): Promise<void> {
  const { config, log } = input;
  const { tracer, services: tracing } = createTracer({
    settings: config.trace,
    service: "docket-executor",
    instance: config.id,
    log,
  });
  const services = [...(input.before ?? []), ...tracing];
  const opening = new AbortController();
  const stop = async (): Promise<void> => {
    opening.abort();
    await stopAll(services, log);
  };
  stopOnSignal(stop, config.graceMs, log);
  const executor = await openUnlessStopped({
    ...input,
    tracer,
    signal: opening.signal,
    clock: systemClock,
    monotonic: () => performance.now(),
    // Uncaught, it stops the process as a signal would, with EXIT.failed.
    fail: (error) => {
      setImmediate(() => {
        throw error;
      });
    },
  });
  if (executor === undefined) return;
  // Told to stop while it opened: a worker that starts now would take jobs for a sandbox that is closing.
  if (opening.signal.aborted) return await executor.stop();
  services.push(executor);
  await startAll(services, log);
  process.stdout.write(`${JSON.stringify({ ready: true, url: executor.url() })}\n`);
  log.info({ pool: config.pool, url: executor.url() }, "ready");
}

/** Undefined when it was told to stop before the broker was there. */
async function openUnlessStopped(deps: ExecutorDeps): Promise<Executor | undefined> {
  try {
    return await openExecutor(deps);
  } catch (error) {
    if (deps.signal.aborted) return undefined;
    throw error;
  }
}

export const newRegistry = (): Registry => new Registry();

/** Runs a main function; what keeps it from starting is said in plain words, with the exit code that fits. */
export async function startOrExit(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`The executor cannot start. ${message}\n`);
    const config = [EnvironmentError, WorkloadUnfit, BrokerRefused].some((kind) => error instanceof kind);
    process.exit(config ? EXIT.config : EXIT.failed);
  }
}
