import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  createTurns,
  laneOrder,
  openLanes,
  roomIn,
  type SlotUse,
} from "../../../src/executors/backbone/turns.ts";
import { type Lane, LANES, lanesOf, type LaneWeights, usualWeights } from "../../../src/shared/lane.ts";
import { LANGUAGE_IDS } from "../../../src/shared/language.ts";

const lanes = fc.subarray([...LANES], { minLength: 1 });
const weighted = lanes.chain((some) =>
  fc
    .array(fc.nat(9), { minLength: some.length, maxLength: some.length })
    .map((weights): LaneWeights => Object.fromEntries(some.map((lane, at) => [lane, weights[at] ?? 0]))),
);

test("each turn looks at every lane once", () => {
  fc.assert(
    fc.property(weighted, fc.nat(1_000), (weights, turn) => {
      expect(laneOrder(weights, turn).toSorted()).toEqual(lanesOf(weights).toSorted());
    }),
  );
});

test("each lane begins as many turns as its weight says, and one of weight 0 is the last", () => {
  fc.assert(
    fc.property(weighted, fc.nat(50), (weights, from) => {
      const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0);
      fc.pre(total > 0);
      const orders = Array.from({ length: total }, (_, turn) => laneOrder(weights, from * total + turn));
      const idle = lanesOf(weights).filter((lane) => weights[lane] === 0);
      for (const lane of lanesOf(weights))
        expect(orders.filter(([first]) => first === lane)).toHaveLength(weights[lane] ?? 0);
      for (const order of orders) expect(order.slice(order.length - idle.length)).toEqual(idle);
    }),
  );
});

test("a lane's turns are spread over the round", () => {
  const round = (weights: LaneWeights, length: number): string =>
    Array.from({ length }, (_, turn) => laneOrder(weights, turn)[0]?.[0]).join("");
  expect(round({ contest: 4, practice: 1 }, 10)).toBe("ccccpccccp");
  expect(round({ contest: 1, practice: 2 }, 6)).toBe("pcppcp");
  expect(round({ contest: 3, practice: 2, custom: 1 }, 6)).toBe("cpcpcc");
});

test("usually the highest comes first in four turns of five; the fifth is the lower ones' in turn, rejudges apart", () => {
  fc.assert(
    fc.property(lanes, (some) => {
      const lower: readonly Lane[] = some.slice(1).filter((lane) => lane !== "rejudge");
      const round = 5 * Math.max(1, lower.length);
      const orders = Array.from({ length: round }, (_, turn) => laneOrder(usualWeights(some), turn));
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
  const all = usualWeights(LANES);
  const four = { slots: 4, contestReserved: 1 };
  const two = { slots: 2, contestReserved: 0 };
  const open = (weights: LaneWeights, running: readonly Lane[], slots: Omit<SlotUse, "running">) =>
    lanesOf(openLanes(weights, { ...slots, running }));
  expect(openLanes(all, { ...four, running: [] })).toEqual(all);
  expect(open(all, ["practice", "custom"], four)).toEqual(LANES);
  expect(open(all, ["practice", "custom", "practice"], four)).toEqual(["contest"]);
  expect(open(all, ["contest", "contest", "practice"], four)).toEqual(LANES);
  expect(open(all, ["rejudge", "rejudge"], four)).toEqual(["contest", "practice", "custom"]);
  expect(open(all, ["rejudge"], two)).toEqual(["contest", "practice", "custom"]);
  // The only slot there is, and a pool for nothing else.
  expect(open(all, [], { slots: 1, contestReserved: 0 })).toEqual(LANES);
  expect(open({ rejudge: 0 }, ["rejudge"], two)).toEqual(["rejudge"]);
});

test("however many of a lane begin at once, no more run than one at a time would", () => {
  const use = fc.record({
    slots: fc.integer({ min: 1, max: 8 }),
    contestReserved: fc.nat(3),
    running: fc.array(fc.constantFrom(...LANES), { maxLength: 8 }),
  });
  fc.assert(
    fc.property(weighted, use, (weights, given) => {
      for (const lane of lanesOf(weights).filter((one) => one !== "contest")) {
        let one = 0;
        const running = [...given.running];
        for (; openLanes(weights, { ...given, running })[lane] !== undefined; one++) running.push(lane);
        expect(roomIn(lane, weights, given)).toBe(one);
      }
    }),
  );
  const idle = { slots: 4, contestReserved: 0, running: [] };
  expect(roomIn("rejudge", usualWeights(LANES), idle)).toBe(3);
  expect(roomIn("practice", usualWeights(LANES), idle)).toBe(4);
  expect(roomIn("rejudge", { rejudge: 0 }, idle)).toBe(4);
});

test("languages that all have jobs are served equally often", () => {
  fc.assert(
    fc.property(fc.subarray([...LANGUAGE_IDS], { minLength: 1 }), (languages) => {
      const turns = createTurns();
      const served = new Map<string, number>(languages.map((language) => [language, 0]));
      for (let i = 0; i < languages.length * 3; i++) {
        const [place] = turns.order({ practice: 1 }, languages);
        if (place === undefined) throw new Error("nowhere to look");
        served.set(place.language, (served.get(place.language) ?? 0) + 1);
        turns.taken(place);
      }
      expect([...served.values()]).toEqual(languages.map(() => 3));
    }),
  );
});
