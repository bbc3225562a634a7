/** "Something is different now": whoever listens looks for himself. Carries no data, so nothing can be stale. */
export interface Change {
  notify(): void;
  /** Returns the function that ends the listening. */
  listen(listener: () => void): () => void;
}

export function createChange(): Change {
  const listeners = new Set<() => void>();
  return {
    notify: () => {
      for (const listener of listeners) listener();
    },
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** Resolves at the next change, after `ms`, or when `signal` aborts, whichever comes first. Never rejects. */
export function nextChange(change: Change, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      unlisten();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.max(0, ms));
    const unlisten = change.listen(done);
    signal.addEventListener("abort", done, { once: true });
  });
}

/** Resolves after `ms` or when `signal` aborts. Never rejects. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return nextChange(createChange(), ms, signal);
}
