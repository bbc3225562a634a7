import { setTimeout } from "node:timers/promises";
import { readConfig } from "../../../src/executors/config.ts";
import { newRegistry, type ProcessInput, runExecutor, startOrExit } from "../../../src/executors/process.ts";
import type { Service } from "../../../src/shared/lifecycle.ts";
import { createLog } from "../../../src/shared/log.ts";
import { createSleepKind } from "./sleepkind.ts";

/** Told to stop once the broker is there, before the executor is; what was started before it takes a while to end. */
function stopWhileOpening(): Pick<ProcessInput, "registry" | "before"> {
  const registry = newRegistry();
  const register = registry.registerMetric.bind(registry);
  registry.registerMetric = (metric) => {
    registry.registerMetric = register;
    process.emit("SIGTERM", "SIGTERM");
    register(metric);
  };
  const slow: Service = { name: "slow", start: () => Promise.resolve(), stop: () => setTimeout(1_000) };
  return { registry, before: [slow] };
}

/** An executor process as src/executors/main.ts makes it, but for the kind of work and the sandbox. */
await startOrExit(async () => {
  const config = readConfig(process.env);
  const tested = config.languages.map((id) => ({ id, version: "test" }));
  await runExecutor({
    config,
    log: createLog("executor", config.logLevel),
    kinds: [createSleepKind()],
    tested,
    retest: (id) => Promise.resolve({ id, version: "test" }),
    version: "test",
    ...(process.env["TEST_STOP_WHILE_OPENING"] === undefined
      ? { registry: newRegistry() }
      : stopWhileOpening()),
  });
});
