/**
 * Runs the tests of one job, several at once where there is room, so that nobody can tell from what comes of it: what is
 * taken, and what ends the judging, is as if they had been run one after the other.
 */

/** Room for one test beside the job's own. */
export interface LentRoom<Room> {
  readonly room: Room;
  /** Aborted when it is wanted back: what runs there is stopped, and run again elsewhere. */
  readonly signal: AbortSignal;
  /** Resolves when it is given back. Never rejects. */
  readonly giveBack: () => Promise<void>;
}

export interface InOrderDeps<Room, Result> {
  /** Tests are known by their numbers from 0, in the order of the format. */
  readonly count: number;
  /** Whether a test need not be run, by what has been taken so far; final once all before it were taken or skipped. */
  isSkipped(test: number): boolean;
  /**
   * Runs a test. Its result counts only once it is taken; a throw counts as one. `turn` resolves when all before it were
   * taken or skipped, and rejects when the test is not wanted any more.
   */
  run(test: number, at: { room: Room; signal: AbortSignal; turn: () => Promise<void> }): Promise<Result>;
  /** Called with the results in the tests' order, each once, never with one that would not have been run. */
  take(test: number, result: Result): void;
  readonly own: Room;
  /**
   * Room for one more test; undefined when there is none now, or it is not worth it. Asked whenever a test begins in the
   * job's own: so many wait then, and so many rooms are in use with it.
   */
  another(state: { readonly waiting: number; readonly rooms: number }): Promise<LentRoom<Room> | undefined>;
  /** Told of each test that was run elsewhere than in the job's own slot. */
  readonly onBeside?: (what: "taken" | "unneeded" | "stopped") => void;
  readonly signal: AbortSignal;
}

/** So far ahead of what was taken a test is begun at most: few results wait for their turn. */
const AHEAD = 32;

type Ended<Result> = { readonly result: Result } | { readonly error: unknown };

/**
 * Resolves when all results that count were taken. Throws the signal's reason, or what the first test threw that counts;
 * nothing runs any more then, and all that was lent is given back.
 */
export async function runInOrder<Room, Result>(deps: InOrderDeps<Room, Result>): Promise<void> {
  const { count, signal } = deps;
  /** The first test that was neither taken nor skipped. */
  let cursor = 0;
  const ended = new Map<number, Ended<Result> & { readonly beside: boolean }>();
  const running = new Map<number, AbortController>();
  const guests = new Set<Promise<void>>();
  /** Guests that have a test, or take another one now. */
  let taking = 0;
  /** Tests that go on when their turn comes, not before. */
  const blocked = new Set<number>();
  let inOwn: number | undefined;
  let failure: { readonly error: unknown } | undefined;
  let change = Promise.withResolvers<void>();
  const isOver = (): boolean => failure !== undefined || cursor >= count;
  const notify = (): void => {
    const { resolve } = change;
    change = Promise.withResolvers();
    resolve();
  };

  /** Of a test whose turn it is not yet: there may be no answer, while results are missing. */
  const isSkippedSoFar = (test: number): boolean | undefined => {
    try {
      return deps.isSkipped(test);
    } catch {
      return undefined;
    }
  };

  /** The first test that waits to be run. */
  const next = (): number | undefined => {
    for (let test = cursor; test < Math.min(count, cursor + AHEAD); test++) {
      if (ended.has(test) || running.has(test)) continue;
      // The one whose turn it is was found to be needed.
      if (test === cursor || isSkippedSoFar(test) === false) return test;
    }
    return undefined;
  };

  const drop = (test: number): void => {
    if (ended.get(test)?.beside === true) deps.onBeside?.("unneeded");
    ended.delete(test);
    running.get(test)?.abort(new Error("this test is not needed"));
  };

  /** Takes what is there, as far as it goes without a gap. */
  const takeAll = (): void => {
    for (; cursor < count; cursor++) {
      if (deps.isSkipped(cursor)) {
        drop(cursor);
        continue;
      }
      const one = ended.get(cursor);
      if (one === undefined) return;
      if ("error" in one) throw one.error;
      ended.delete(cursor);
      if (one.beside) deps.onBeside?.("taken");
      deps.take(cursor, one.result);
    }
  };
  const advance = (): void => {
    try {
      if (failure === undefined) takeAll();
    } catch (error) {
      failure = { error };
    }
    // What a rejection has made needless is not run to its end. Should that change, it is run when its turn comes.
    for (const test of [...ended.keys(), ...running.keys()])
      if (failure !== undefined || (test > cursor && isSkippedSoFar(test) === true)) drop(test);
    notify();
  };

  /** All wait for a test that nobody runs, as the slot that had it was called back: the job's own is made free for it. */
  const freeOwn = (): void => {
    if (inOwn === undefined || running.has(cursor) || isOver()) return;
    const all = running.size === taking + 1 && [...running.keys()].every((test) => blocked.has(test));
    if (all) running.get(inOwn)?.abort(new Error("a test before this one is to be run"));
  };
  const isBefore = (test: number): boolean => cursor < test;
  const turnOf = async (test: number, stopped: AbortSignal): Promise<void> => {
    blocked.add(test);
    while (isBefore(test) && !stopped.aborted) {
      // Before it can come: an abort is a change as well.
      const changed = change.promise;
      freeOwn();
      await changed;
    }
    blocked.delete(test);
    stopped.throwIfAborted();
  };

  const runAt = async (test: number, room: Room, wanted?: AbortSignal): Promise<void> => {
    const stop = new AbortController();
    running.set(test, stop);
    const either = AbortSignal.any([signal, stop.signal, ...(wanted === undefined ? [] : [wanted])]);
    either.addEventListener("abort", notify, { once: true });
    const beside = wanted !== undefined;
    if (!beside) inOwn = test;
    try {
      const turn = (): Promise<void> => turnOf(test, either);
      const result = await deps.run(test, { room, signal: either, turn });
      if (!stop.signal.aborted) ended.set(test, { result, beside });
      else if (beside) deps.onBeside?.("unneeded");
    } catch (error) {
      // What was stopped says nothing.
      if (!either.aborted) ended.set(test, { error, beside });
      else if (beside && !signal.aborted) deps.onBeside?.(stop.signal.aborted ? "unneeded" : "stopped");
    } finally {
      either.removeEventListener("abort", notify);
      running.delete(test);
      if (!beside) inOwn = undefined;
    }
    advance();
  };

  const visit = async ({ room, signal: wanted, giveBack }: LentRoom<Room>): Promise<void> => {
    taking += 1;
    while (!wanted.aborted && !signal.aborted && !isOver()) {
      const test = next();
      if (test === undefined) break;
      await runAt(test, room, wanted);
    }
    taking -= 1;
    // Others may wait for what it does not run any more.
    notify();
    await giveBack();
  };

  /** Asks for more room as long as there is work for it. */
  const widen = async (): Promise<void> => {
    for (;;) {
      const waiting = count - cursor - running.size - ended.size;
      if (waiting <= 0 || next() === undefined || signal.aborted || isOver()) return;
      const lent = await deps.another({ waiting, rooms: guests.size + 1 });
      if (lent === undefined) return;
      const visiting: Promise<void> = visit(lent).finally(() => guests.delete(visiting));
      guests.add(visiting);
    }
  };

  try {
    advance();
    while (!isOver()) {
      signal.throwIfAborted();
      const test = next();
      // The job's own slot has the first of those that wait: it is never called back.
      const own = test === undefined ? change.promise : runAt(test, deps.own);
      await widen().catch((error: unknown) => {
        failure = { error };
        advance();
      });
      await own;
    }
  } finally {
    // Nothing may be left running in what was lent.
    for (const stop of running.values()) stop.abort(new Error("the judging has ended"));
    await Promise.allSettled(guests);
  }
  if (failure !== undefined) throw failure.error;
}
