import { z } from "zod";

/**
 * Which holder of a judgement's job is speaking. Compared left to right; the newest holder's word counts.
 * `delivery` starts at 1 again when a job is published anew, so `dispatch` stands before it.
 */
export const Fence = z.object({
  generation: z.int().min(1),
  dispatch: z.int().min(1),
  delivery: z.int().min(1),
});
export type Fence = z.infer<typeof Fence>;

/** Negative when `a` is older than `b`, 0 when they are the same holder, positive when `a` is newer. */
export function compareFence(a: Fence, b: Fence): number {
  return a.generation - b.generation || a.dispatch - b.dispatch || a.delivery - b.delivery;
}
