import { readConfig } from "../../../src/executors/config.ts";
import { newRegistry, runExecutor, startOrExit } from "../../../src/executors/process.ts";
import { createLog } from "../../../src/shared/log.ts";
import { createSleepKind } from "./sleepkind.ts";

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
    registry: newRegistry(),
  });
});
