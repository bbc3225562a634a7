import { setTimeout as sleep } from "node:timers/promises";
import { readConfig } from "../../src/executors/config.ts";
import { newRegistry, runExecutor, startOrExit } from "../../src/executors/process.ts";
import type { WorkKind } from "../../src/executors/work.ts";
import { JUDGE_KIND, type JudgeResult } from "../../src/shared/judging.ts";
import { createLog } from "../../src/shared/log.ts";

/**
 * An executor process as src/executors/main.ts makes it, but for the sandbox: it takes real judge jobs of a real
 * server and "judges" each by sleeping SLEEP_MS, with a progress report now and then. What is tested with it is the
 * way round, not the judging.
 */
const PROGRESS_MS = 250;

function sleeper(ms: number): WorkKind {
  return {
    kind: JUDGE_KIND,
    run: async (_job, context) => {
      context.report("compiled", { testsTotal: 0, tests: [] });
      for (let slept = 0; slept < ms; slept += PROGRESS_MS) {
        await sleep(Math.min(PROGRESS_MS, ms - slept), undefined, { signal: context.signal }).catch(() => {});
        if (context.signal.aborted) return { type: "stopped" };
        context.report("progress", { testsTotal: 0, tests: [] });
      }
      const result: JudgeResult = { testsTotal: 0, tests: [], verdict: "AC", cpuMs: ms, memoryKiB: 1 };
      return { type: "finished", result };
    },
  };
}

await startOrExit(async () => {
  const config = readConfig(process.env);
  await runExecutor({
    config,
    log: createLog("executor", config.logLevel),
    kinds: [sleeper(Number(process.env["SLEEP_MS"] ?? "0"))],
    tested: config.languages.map((id) => ({ id, version: "test" })),
    retest: (id) => Promise.resolve({ id, version: "test" }),
    version: "test",
    registry: newRegistry(),
  });
});
