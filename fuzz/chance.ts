/** Chance that can be had again: the same numbers from the same seed. */
export interface Chance {
  /** 0 to `below` − 1. */
  int(below: number): number;
  /** True with this probability. */
  yes(share: number): boolean;
  pick<T>(from: readonly [T, ...T[]]): T;
  /** One of the list, or undefined when it is empty. */
  any<T>(from: readonly T[]): T | undefined;
  bytes(count: number): Buffer;
}

/** splitmix32 over the seed and the input's number, so that any input can be made alone. */
export function createChance(seed: number, input: number): Chance {
  let state = (Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) + Math.imul(input + 1, 0xc2b2ae35)) | 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  const int = (below: number): number => Math.floor((next() / 2 ** 32) * below);
  return {
    int,
    yes: (share) => next() < share * 2 ** 32,
    pick: (from) => from[int(from.length)] ?? from[0],
    any: (from) => from[int(from.length)],
    bytes: (count) => Buffer.from(Array.from({ length: count }, () => int(256))),
  };
}
