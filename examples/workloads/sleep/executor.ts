import { setTimeout as sleep } from "node:timers/promises";
import { defineDoer, WorkFault } from "../../../src/executors/workload.ts";
import work from "./work.ts";

export default defineDoer(work, {
  async run({ input, signal }) {
    if (input.ms > 0) await sleep(input.ms, undefined, { signal });
    if (input.fault !== undefined) throw new WorkFault(input.fault);
    return { sleptMs: input.ms };
  },
});
