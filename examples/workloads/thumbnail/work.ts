import { z } from "zod";
import { defineWorkload } from "../../../src/shared/workload.ts";

/** A small PNG of a large one: the average of the pixels that fall together. */
export default defineWorkload({
  input: z.strictObject({ widthPx: z.int().min(1).max(512) }),
  files: { least: 1, most: 1 },
  deadlineMs: () => 60_000,
});
