/** The least of some numbers, as often as wanted. */
export interface Heap {
  readonly size: () => number;
  /** Infinity when it is empty. */
  least(): number;
  put(value: number): void;
  /** Removes the least one. */
  drop(): void;
}

export function createHeap(): Heap {
  const values: number[] = [];
  const at = (index: number): number => values[index] ?? Infinity;
  const swap = (one: number, other: number): void => {
    const kept = at(one);
    values[one] = at(other);
    values[other] = kept;
  };
  return {
    size: () => values.length,
    least: () => at(0),
    put(value) {
      let index = values.push(value) - 1;
      for (let up = (index - 1) >> 1; index > 0 && at(up) > at(index); up = (index - 1) >> 1) {
        swap(index, up);
        index = up;
      }
    },
    drop() {
      const last = values.pop();
      if (last === undefined || values.length === 0) return;
      values[0] = last;
      for (let index = 0; ;) {
        const left = 2 * index + 1;
        const down = at(left + 1) < at(left) ? left + 1 : left;
        if (at(down) >= at(index)) return;
        swap(index, down);
        index = down;
      }
    },
  };
}
