import { z } from "zod";
import { defineWorkload } from "../../../src/shared/workload.ts";

/** Waits: for trying out pools, and for benchmarks of everything around a job. */
export default defineWorkload({
  input: z.strictObject({
    /** 0: done at once. */
    ms: z.int().min(0).max(600_000),
    /** Instead of an end, a fault each time. */
    fault: z.string().max(200).optional(),
  }),
  files: { least: 0, most: 0 },
  deadlineMs: ({ ms }) => ms + 60_000,
});
