import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createTurns, laneOrder, LOWER_LANE_TURN } from "../../../src/executors/backbone/turns.ts";
import { LANES } from "../../../src/shared/lane.ts";
import { LANGUAGE_IDS } from "../../../src/shared/language.ts";

const lanes = fc.subarray([...LANES], { minLength: 1 });

test("each turn looks at every lane once", () => {
  fc.assert(
    fc.property(lanes, fc.nat(1_000), (some, turn) => {
      expect(laneOrder(some, turn).toSorted()).toEqual(some.toSorted());
    }),
  );
});

test("the highest lane comes first in four turns of five; each lower one in its share of the fifth", () => {
  fc.assert(
    fc.property(lanes, (some) => {
      const lower = some.length - 1;
      const round = LOWER_LANE_TURN * Math.max(1, lower);
      const firsts = Array.from({ length: round }, (_, turn) => laneOrder(some, turn)[0]);
      for (const [place, lane] of some.entries()) {
        const share = firsts.filter((first) => first === lane).length;
        expect(share).toBe(place > 0 ? 1 : lower === 0 ? round : round - lower);
      }
    }),
  );
});

test("languages that all have jobs are served equally often", () => {
  fc.assert(
    fc.property(fc.subarray([...LANGUAGE_IDS], { minLength: 1 }), (languages) => {
      const turns = createTurns();
      const served = new Map<string, number>(languages.map((language) => [language, 0]));
      for (let i = 0; i < languages.length * 3; i++) {
        const [place] = turns.order(["practice"], languages);
        if (place === undefined) throw new Error("nowhere to look");
        served.set(place.language, (served.get(place.language) ?? 0) + 1);
        turns.taken(place);
      }
      expect([...served.values()]).toEqual(languages.map(() => 3));
    }),
  );
});
