import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shareOut } from "../../../src/server/intake/share.ts";

const input = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { maxLength: 12 }).chain((owners) =>
  fc.record({
    owners: fc.constant(owners),
    out: fc
      .array(fc.nat(12), { minLength: owners.length, maxLength: owners.length })
      .map((counts) => new Map(owners.map((owner, i) => [owner, counts[i] ?? 0]))),
    most: fc.nat(10),
    room: fc.nat(60),
  }),
);

describe("free places", () => {
  it("go to whoever has the fewest out, up to the limit, as long as there are any", () => {
    fc.assert(
      fc.property(input, ({ owners, out, most, room }) => {
        const shares = shareOut({ owners, out, most, room });
        const before = (owner: string): number => out.get(owner) ?? 0;
        const after = (owner: string): number => before(owner) + (shares.get(owner) ?? 0);
        const given = shares.values().reduce((sum, share) => sum + share, 0);
        const wanted = owners.reduce((sum, owner) => sum + Math.max(0, most - before(owner)), 0);
        expect(given).toBe(Math.min(room, wanted));
        for (const owner of owners) {
          if ((shares.get(owner) ?? 0) === 0) continue;
          expect(after(owner)).toBeLessThanOrEqual(most);
          // Nobody who got one is ahead by more than one of somebody who could have had it.
          for (const rival of owners)
            if (after(rival) < most) expect(after(owner)).toBeLessThanOrEqual(after(rival) + 1);
        }
      }),
    );
  });

  it("go round among equals in the order given", () => {
    const equal = { out: new Map<string, number>(), most: 5, room: 4 };
    expect([...shareOut({ owners: ["b", "c", "a"], ...equal })]).toEqual([
      ["b", 2],
      ["c", 1],
      ["a", 1],
    ]);
  });
});
