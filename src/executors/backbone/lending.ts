import type { LentSlot } from "../work.ts";

/**
 * Slots that no job has, lent to jobs that can use more than their own. A lent slot stays free for the next job: when
 * one comes for it, it is called back, and the job begins as soon as nothing else runs there.
 */
export interface Lending {
  /** `free`: slots that no job has; the last ones are lent first, as jobs take the first ones. */
  lend(free: readonly number[]): LentSlot | undefined;
  /** Calls the slot back; resolves once nobody else uses it. */
  ready(slot: number): Promise<void>;
}

export function createLending(): Lending {
  const lent = new Map<number, { readonly callBack: AbortController; readonly back: Promise<void> }>();
  return {
    lend(free) {
      const slot = free.findLast((one) => !lent.has(one));
      if (slot === undefined) return undefined;
      const callBack = new AbortController();
      const { promise: back, resolve } = Promise.withResolvers<void>();
      lent.set(slot, { callBack, back });
      return {
        slot,
        signal: callBack.signal,
        giveBack() {
          if (lent.get(slot)?.callBack === callBack) lent.delete(slot);
          resolve();
        },
      };
    },
    async ready(slot) {
      const loan = lent.get(slot);
      loan?.callBack.abort(new Error("a job has come for this slot"));
      await loan?.back;
    },
  };
}
