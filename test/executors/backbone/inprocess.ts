import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Registry } from "prom-client";
import { afterEach } from "vitest";
import { type Executor, openExecutor } from "../../../src/executors/executor.ts";
import { readConfig } from "../../../src/executors/config.ts";
import type { TestedLanguage } from "../../../src/executors/backbone/offer.ts";
import type { WorkKind } from "../../../src/executors/work.ts";
import { systemClock } from "../../../src/shared/clock.ts";
import type { ExecutorId } from "../../../src/shared/ids.ts";
import type { QueueId } from "../../../src/shared/queue.ts";
import { createLog } from "../../../src/shared/log.ts";
import type { Topology } from "../../../src/shared/topology.ts";
import type { Tracer } from "../../../src/shared/trace.ts";
import { createSleepKind, type SleepWatch } from "./sleepkind.ts";
import { executorEnv } from "./stage.ts";

export interface OpenedExecutor {
  readonly executor: Executor;
  readonly id: ExecutorId;
  readonly registry: Registry;
  /** State and reason as /readyz says them. */
  ready(): Promise<{ state: string; reason?: string }>;
}

/** Opens executors with ids and work folders of their own, all of the sleeping kind. */
export function opener(natsUrl: string, topology: Topology, folder: () => string, name: string) {
  let count = 0;
  return async (
    watch: SleepWatch = {},
    more: Record<string, string> = {},
    retest?: (id: QueueId) => Promise<TestedLanguage>,
  ): Promise<OpenedExecutor> => {
    const id = `${name}-${++count}`;
    const workDir = join(folder(), id);
    mkdirSync(workDir);
    const env = executorEnv(natsUrl, topology, { id, workDir, ...more });
    return await openTestExecutor(env, createSleepKind(watch), retest);
  };
}

const opened = new Set<Executor>();

/** The whole backbone in the test's own process, stopped after the test. */
export async function openTestExecutor(
  env: NodeJS.ProcessEnv,
  kind: WorkKind,
  retest: (id: QueueId) => Promise<TestedLanguage> = (id) => Promise.resolve({ id, version: "again" }),
  tracer?: Tracer,
): Promise<OpenedExecutor> {
  const config = readConfig({ DOCKET_GRACE_MS: "3000", ...env });
  const registry = new Registry();
  const executor = await openExecutor({
    config,
    kinds: [kind],
    tested: config.languages.map((id) => ({ id, version: "test" })),
    retest,
    tracer,
    registry,
    version: "test",
    signal: new AbortController().signal,
    fail: (error) => {
      throw error;
    },
    clock: systemClock,
    monotonic: () => performance.now(),
    log: createLog("executor", process.env["DOCKET_TEST_LOG"] ?? "silent"),
  });
  opened.add(executor);
  await executor.start();
  return {
    executor,
    id: config.id,
    registry,
    ready: async () =>
      (await (await fetch(`${executor.url()}/readyz`)).json()) as { state: string; reason?: string },
  };
}

afterEach(async () => {
  await Promise.all([...opened].map((executor) => executor.stop()));
  opened.clear();
});
