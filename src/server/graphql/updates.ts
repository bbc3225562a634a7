/**
 * An async iterator over another, value by value. Written out by hand and not as a generator: `return()` of a
 * generator waits for the pending `next()`, which may never come, and a closed subscription must end at once.
 */
export function mapUpdates<In, Out>(
  source: AsyncIterator<In>,
  steps: {
    readonly each: (value: In) => Out | Promise<Out>;
    /** Makes an error the last value; without it the error is thrown. */
    readonly last?: (error: unknown) => Out;
  },
): AsyncIterableIterator<Out, undefined> {
  let over = false;
  const end = { done: true, value: undefined } as const;
  const close = async (): Promise<typeof end> => {
    over = true;
    await source.return?.();
    return end;
  };
  return {
    async next() {
      if (over) return end;
      try {
        const step = await source.next();
        if (step.done === true) return end;
        return { done: false, value: await steps.each(step.value) };
      } catch (error) {
        await close();
        if (steps.last === undefined) throw error;
        return { done: false, value: steps.last(error) };
      }
    },
    return: close,
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
