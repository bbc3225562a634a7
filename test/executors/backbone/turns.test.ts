import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createTurns, laneOrder, LOWER_LANE_TURN, openLanes } from "../../../src/executors/backbone/turns.ts";
import { type Lane, LANES } from "../../../src/shared/lane.ts";
import { LANGUAGE_IDS } from "../../../src/shared/language.ts";

const lanes = fc.subarray([...LANES], { minLength: 1 });

test("each turn looks at every lane once", () => {
  fc.assert(
    fc.property(lanes, fc.nat(1_000), (some, turn) => {
      expect(laneOrder(some, turn).toSorted()).toEqual(some.toSorted());
    }),
  );
});

test("the highest lane comes first in four turns of five; the fifth is the lower ones' in turn, rejudges apart", () => {
  fc.assert(
    fc.property(lanes, (some) => {
      const lower: readonly Lane[] = some.slice(1).filter((lane) => lane !== "rejudge");
      const round = LOWER_LANE_TURN * Math.max(1, lower.length);
      const orders = Array.from({ length: round }, (_, turn) => laneOrder(some, turn));
      for (const lane of some) {
        const share = orders.filter(([first]) => first === lane).length;
        const highest = lower.length === 0 ? round : round - lower.length;
        expect(share).toBe(lane === some[0] ? highest : lower.includes(lane) ? 1 : 0);
      }
      // A lower lane that is empty leaves its turn to the other lower one, not to the highest.
      for (const order of orders.filter(([first]) => first !== some[0]))
        expect(order.slice(0, lower.length).toSorted()).toEqual(lower.toSorted());
      if (some.length > 1 && some.at(-1) === "rejudge")
        for (const order of orders) expect(order.at(-1)).toBe("rejudge");
    }),
  );
});

test("reserved slots take contest jobs only, and rejudges leave a slot free", () => {
  const all = [...LANES];
  const slots = { slots: 4, contestReserved: 1 };
  expect(openLanes(all, [], slots)).toEqual(all);
  expect(openLanes(all, ["practice", "custom"], slots)).toEqual(all);
  expect(openLanes(all, ["practice", "custom", "practice"], slots)).toEqual(["contest"]);
  expect(openLanes(all, ["contest", "contest", "practice"], slots)).toEqual(all);
  expect(openLanes(all, ["rejudge", "rejudge"], slots)).toEqual(["contest", "practice", "custom"]);
  expect(openLanes(all, ["rejudge"], { slots: 2, contestReserved: 0 })).toEqual([
    "contest",
    "practice",
    "custom",
  ]);
  // The only slot there is, and a pool for nothing else.
  expect(openLanes(all, [], { slots: 1, contestReserved: 0 })).toEqual(all);
  expect(openLanes(["rejudge"], ["rejudge"], { slots: 2, contestReserved: 0 })).toEqual(["rejudge"]);
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
