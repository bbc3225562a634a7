/** What is waited for, or a throw of the signal's reason as soon as it aborts; the work goes on all the same. */
export async function unlessAborted<T>(wanted: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, wanted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
