import { Registry } from "prom-client";
import { afterEach } from "vitest";
import { type Executor, openExecutor } from "../../../src/executors/executor.ts";
import { readConfig } from "../../../src/executors/config.ts";
import type { TestedLanguage } from "../../../src/executors/backbone/offer.ts";
import type { WorkKind } from "../../../src/executors/work.ts";
import { systemClock } from "../../../src/shared/clock.ts";
import { createLog } from "../../../src/shared/log.ts";

export interface OpenedExecutor {
  readonly executor: Executor;
  readonly registry: Registry;
  /** State and reason as /readyz says them. */
  ready(): Promise<{ state: string; reason?: string }>;
}

const opened = new Set<Executor>();

/** The whole backbone in the test's own process, stopped after the test. */
export async function openTestExecutor(
  env: NodeJS.ProcessEnv,
  kind: WorkKind,
  retest: (id: TestedLanguage["id"]) => Promise<TestedLanguage> = (id) =>
    Promise.resolve({ id, version: "again" }),
): Promise<OpenedExecutor> {
  const config = readConfig({ DOCKET_GRACE_MS: "3000", ...env });
  const registry = new Registry();
  const executor = await openExecutor({
    config,
    kinds: [kind],
    tested: config.languages.map((id) => ({ id, version: "test" })),
    retest,
    registry,
    version: "test",
    clock: systemClock,
    monotonic: () => performance.now(),
    log: createLog("executor", process.env["DOCKET_TEST_LOG"] ?? "silent"),
  });
  opened.add(executor);
  await executor.start();
  return {
    executor,
    registry,
    ready: async () =>
      (await (await fetch(`${executor.url()}/readyz`)).json()) as { state: string; reason?: string },
  };
}

afterEach(async () => {
  await Promise.all([...opened].map((executor) => executor.stop()));
  opened.clear();
});
