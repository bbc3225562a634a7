/**
 * Shares free places among owners: one by one, each to whoever has the fewest jobs out, up to `most` each. Among equals
 * the order of `owners` decides, so the caller turns it round from time to time. Everybody is taken to have enough
 * waiting. Returns how many each gets, those with none left out.
 */
export function shareOut(input: {
  readonly owners: readonly string[];
  /** Jobs that each has out already. */
  readonly out: ReadonlyMap<string, number>;
  readonly most: number;
  readonly room: number;
}): Map<string, number> {
  const { out, most } = input;
  const shares = new Map<string, number>();
  let left = input.room;
  // Level by level: all who are at the lowest one are raised by one each.
  let level = Math.min(most, ...input.owners.map((owner) => out.get(owner) ?? 0));
  for (; level < most && left > 0; level++) {
    for (const owner of input.owners) {
      if (left === 0) break;
      if ((out.get(owner) ?? 0) > level) continue;
      shares.set(owner, (shares.get(owner) ?? 0) + 1);
      left -= 1;
    }
  }
  return shares;
}
