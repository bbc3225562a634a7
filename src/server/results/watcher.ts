import { isFinal, revisionOf, type SubmissionSnapshot } from "../store/documents.ts";

/** One reader of one submission. Holds one snapshot at most, the newest that its reader has not seen. */
export interface Watcher {
  offer(snapshot: SubmissionSnapshot): void;
  readonly iterator: AsyncIterableIterator<SubmissionSnapshot>;
}

type Step = IteratorResult<SubmissionSnapshot, undefined>;
const END: Step = { done: true, value: undefined };

/**
 * Written out by hand and not as a generator: `return()` of a generator waits for the pending `next()`, which may
 * never come, and a closed subscription must end at once.
 */
export function createWatcher(deps: {
  readonly afterRevision: number;
  /** Registers the watcher and reads the newest snapshot; undefined when there is no such submission. */
  open(self: Watcher): Promise<SubmissionSnapshot | undefined>;
  /** The final state was handed to the reader. */
  delivered?(snapshot: SubmissionSnapshot): void;
  /** Unregisters it; safe twice. */
  close(self: Watcher): void;
}): Watcher {
  let seen = deps.afterRevision;
  let unseen: SubmissionSnapshot | undefined;
  let state: "new" | "open" | "ended" = "new";
  /** A reader that waits; readers of one iterator come one at a time. */
  let reader:
    | { readonly resolve: (step: Step) => void; readonly reject: (error: unknown) => void }
    | undefined;

  function end(): void {
    if (state === "ended") return;
    state = "ended";
    unseen = undefined;
    deps.close(self);
    reader?.resolve(END);
    reader = undefined;
  }

  function give(): void {
    if (reader === undefined || unseen === undefined) return;
    const snapshot = unseen;
    const { resolve } = reader;
    seen = revisionOf(snapshot.judgement);
    unseen = undefined;
    reader = undefined;
    resolve({ done: false, value: snapshot });
    if (!isFinal(snapshot.judgement.state)) return;
    deps.delivered?.(snapshot);
    end();
  }

  async function open(): Promise<void> {
    state = "open";
    try {
      const newest = await deps.open(self);
      if (newest === undefined) end();
      else if (isFinal(newest.judgement.state) && revisionOf(newest.judgement) <= seen) end();
      else self.offer(newest);
    } catch (error) {
      reader?.reject(error);
      reader = undefined;
      end();
    }
  }

  const self: Watcher = {
    offer(snapshot) {
      const revision = revisionOf(snapshot.judgement);
      const newest = unseen === undefined ? seen : revisionOf(unseen.judgement);
      if (state === "ended" || revision <= newest) return;
      unseen = snapshot;
      give();
    },
    iterator: {
      next() {
        if (state === "ended") return Promise.resolve(END);
        const step = new Promise<Step>((resolve, reject) => {
          reader?.resolve(END);
          reader = { resolve, reject };
        });
        if (state === "new") void open();
        else give();
        return step;
      },
      return() {
        end();
        return Promise.resolve(END);
      },
      throw(error) {
        end();
        return Promise.reject(error);
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    },
  };
  return self;
}
