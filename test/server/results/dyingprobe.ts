import { z } from "zod";
import { readConfig } from "../../../src/executors/config.ts";
import { newRegistry, runExecutor, startOrExit } from "../../../src/executors/process.ts";
import { JUDGE_KIND } from "../../../src/shared/judging.ts";
import { createLog } from "../../../src/shared/log.ts";

const Payload = z.object({ files: z.array(z.object({ sizeBytes: z.int() })) });
/** A program of this size kills the executor that runs it. */
const DEADLY_BYTES = 4;

/** An executor process with all of its backbone, which some of its jobs kill by SIGKILL. */
await startOrExit(async () => {
  const config = readConfig(process.env);
  await runExecutor({
    config,
    log: createLog("executor", config.logLevel),
    kinds: [
      {
        kind: JUDGE_KIND,
        run: async (job, context) => {
          const [file] = Payload.parse(job.payload).files;
          context.report("compiled", { testsTotal: 1, tests: [] });
          if (file?.sizeBytes === DEADLY_BYTES) {
            // Time for what was said to get out.
            await new Promise((resolve) => setTimeout(resolve, 100));
            process.kill(process.pid, "SIGKILL");
          }
          return { type: "finished", result: { verdict: "AC", testsTotal: 1, tests: [] } };
        },
      },
    ],
    tested: config.languages.map((id) => ({ id, version: "test" })),
    retest: (id) => Promise.resolve({ id, version: "test" }),
    version: "test",
    registry: newRegistry(),
  });
});
