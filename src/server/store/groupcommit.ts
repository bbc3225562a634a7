/** What became of one item; `error` is thrown to its caller. */
export type ItemOutcome<Result> = { readonly value: Result } | { readonly error: unknown };

interface Waiting<Item, Result> {
  readonly item: Item;
  resolve(value: Result): void;
  reject(error: unknown): void;
}

/**
 * Gathers what is asked for while a write is under way and writes it together in the next one: one round trip and
 * one journal sync for many callers under load, no added wait when idle. `flush` answers one outcome per item, in
 * order; when it throws, all of its callers get the error.
 */
export function groupCommit<Item, Result>(
  limits: { readonly items: number; readonly writesAtOnce: number },
  flush: (items: readonly Item[]) => Promise<readonly ItemOutcome<Result>[]>,
): (item: Item) => Promise<Result> {
  let waiting: Waiting<Item, Result>[] = [];
  let writes = 0;

  async function write(group: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const outcomes = await flush(group.map((one) => one.item));
      for (const [i, one] of group.entries()) {
        const outcome = outcomes[i];
        if (outcome === undefined) one.reject(new Error("a group write lost an item"));
        else if ("error" in outcome) one.reject(outcome.error);
        else one.resolve(outcome.value);
      }
    } catch (error) {
      for (const one of group) one.reject(error);
    }
  }

  function pump(): void {
    while (waiting.length > 0 && writes < limits.writesAtOnce) {
      const group = waiting.slice(0, limits.items);
      waiting = waiting.slice(limits.items);
      writes += 1;
      void write(group).finally(() => {
        writes -= 1;
        pump();
      });
    }
  }

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      // Callers of the same turn of the event loop share a write.
      if (waiting.length === 1) setImmediate(pump);
    });
}
