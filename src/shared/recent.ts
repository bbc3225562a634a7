import { BOUNDS } from "./limits.ts";

export type MemoryName = Extract<keyof typeof BOUNDS, `remembered${string}`>;

/** Hears of each entry that a memory of bounded size forgot before its time. */
export type Evicted = (memory: MemoryName) => void;

/** A memory of bounded size: the entry that was set longest ago makes room for a new one. */
export interface Recent<Key, Value> {
  get(key: Key): Value | undefined;
  /** The newest one from now on. */
  set(key: Key, value: Value): void;
  delete(key: Key): void;
  /** Oldest first. */
  entries(): Iterable<[Key, Value]>;
}

export function createRecent<Key, Value>(name: MemoryName, evicted: Evicted): Recent<Key, Value> {
  const most = BOUNDS[name].value;
  // Maps keep the order in which keys were put in.
  const entries = new Map<Key, Value>();
  return {
    get: (key) => entries.get(key),
    set(key, value) {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size <= most) return;
      const oldest = entries.keys().next();
      if (oldest.done === true) return;
      entries.delete(oldest.value);
      evicted(name);
    },
    delete: (key) => void entries.delete(key),
    entries: () => entries,
  };
}
