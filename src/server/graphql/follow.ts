/** What a subscriber is sent, and when: a source of states, thinned out while they come seldom, ticking while they wait. */
export interface FollowSteps<In, Out> {
  readonly each: (value: In) => Out | Promise<Out>;
  readonly isLast: (value: In) => boolean;
  /** Least time between two values, milliseconds, the last one apart; 0: each as it comes. */
  readonly pace: (value: In) => Promise<number>;
  /** Of the newest value something changes by itself: looked at every `tickMs`, sent again when it has. */
  readonly again?: { readonly tickMs: number; readonly changed: (value: In) => Promise<boolean> };
}

const END = { done: true, value: undefined } as const;
type Step<In> = IteratorResult<In, unknown>;

/**
 * Written out by hand and not as a generator: `return()` of a generator waits for the pending `next()`, which may never
 * come, and a closed subscription must end at once.
 */
export function followUpdates<In, Out>(
  source: AsyncIterator<In>,
  steps: FollowSteps<In, Out>,
): AsyncIterableIterator<Out, undefined> {
  const over = Promise.withResolvers<"over">();
  let ended = false;
  /** The source's next value, once it was asked for. */
  let coming: Promise<Step<In>> | undefined;
  let newest: In | undefined;
  /** The newest one has not been sent. */
  let unsent = false;
  let notBefore = 0;

  async function close(): Promise<typeof END> {
    ended = true;
    over.resolve("over");
    await source.return?.();
    return END;
  }

  /** The source's next value, or "later" after `ms`. */
  async function nextWithin(ms: number | undefined): Promise<Step<In> | "later" | "over"> {
    coming ??= source.next();
    if (ms === undefined) return await Promise.race([coming, over.promise]);
    let timer: NodeJS.Timeout | undefined;
    const later = new Promise<"later">((resolve) => {
      timer = setTimeout(resolve, ms, "later");
    });
    try {
      return await Promise.race([coming, over.promise, later]);
    } finally {
      clearTimeout(timer);
    }
  }

  async function send(value: In): Promise<IteratorResult<Out, undefined>> {
    unsent = false;
    newest = steps.isLast(value) ? undefined : value;
    const out = await steps.each(value);
    notBefore = performance.now() + (newest === undefined ? 0 : await steps.pace(value));
    return { done: false, value: out };
  }

  async function next(): Promise<IteratorResult<Out, undefined>> {
    for (;;) {
      const left = notBefore - performance.now();
      const wait = unsent ? Math.max(0, left) : newest === undefined ? undefined : steps.again?.tickMs;
      const step = await nextWithin(wait);
      if (step === "over" || ended) return END;
      if (step === "later") {
        if (newest === undefined) continue;
        if (unsent || (await steps.again?.changed(newest)) === true) return await send(newest);
        continue;
      }
      coming = undefined;
      if (step.done === true) return END;
      if (steps.isLast(step.value) || performance.now() >= notBefore) return await send(step.value);
      newest = step.value;
      unsent = true;
    }
  }

  return {
    async next() {
      if (ended) return END;
      try {
        return await next();
      } catch (error) {
        await close();
        throw error;
      }
    },
    return: close,
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
