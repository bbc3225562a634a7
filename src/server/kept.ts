/**
 * Something read from elsewhere that is asked for more often than it is worth reading. What is older than `keepMs` is
 * read anew; whoever asks meanwhile gets the old one, unless that is as old again. A read that takes long is made less
 * often, so that it never takes more than a small share of the time. A failed one is thrown to those who wait for it.
 */
export function keep<T>(deps: {
  readonly read: () => Promise<T>;
  readonly keepMs: number;
  /** Monotonic milliseconds. */
  readonly monotonic?: () => number;
}): () => Promise<T> {
  const monotonic = deps.monotonic ?? (() => performance.now());
  let kept: { readonly value: T; readonly atMs: number; readonly keepMs: number } | undefined;
  let reading: Promise<T> | undefined;

  async function read(): Promise<T> {
    const atMs = monotonic();
    const value = await deps.read();
    kept = { value, atMs, keepMs: Math.max(deps.keepMs, REST * (monotonic() - atMs)) };
    return value;
  }

  return async () => {
    const age = kept === undefined ? Infinity : monotonic() - kept.atMs;
    if (kept !== undefined && age < kept.keepMs) return kept.value;
    reading ??= read().finally(() => {
      reading = undefined;
    });
    if (kept === undefined || age > 2 * kept.keepMs) return await reading;
    reading.catch(() => undefined);
    return kept.value;
  };
}

/** A read takes at most one part in so many of the time. */
const REST = 30;
