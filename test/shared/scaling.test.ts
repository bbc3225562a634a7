import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  BAND,
  executorsNeeded,
  type QueueLoad,
  scale,
  ScaleByPool,
  ScaleSettings,
  type ScaleState,
  slotsNeeded,
} from "../../src/shared/scaling.ts";

const load = (given: Partial<QueueLoad>): QueueLoad => ({
  waiting: 0,
  arrivalsPerSecond: 0,
  serviceSeconds: 1,
  contest: false,
  ...given,
});

const loads = fc.array(
  fc.record({
    waiting: fc.double({ min: 0, max: 1e6, noNaN: true }),
    arrivalsPerSecond: fc.double({ min: 0, max: 1e4, noNaN: true }),
    serviceSeconds: fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
    contest: fc.boolean(),
  }),
  { maxLength: 6 },
);
const shape = fc
  .tuple(fc.integer({ min: 1, max: 64 }), fc.double({ min: 0, max: 0.99, noNaN: true }))
  .map(([slots, part]) => ({ slots, contestReserved: Math.floor(slots * part) }));
const target = fc.double({ min: 0.1, max: 1e4, noNaN: true });
const settings = fc
  .record({
    least: fc.integer({ min: 1, max: 20 }),
    more: fc.integer({ min: 0, max: 200 }),
    coolDownSeconds: fc.integer({ min: 0, max: 600 }),
  })
  .map(({ least, more, coolDownSeconds }) =>
    ScaleSettings.parse({ least, most: least + more, coolDownSeconds }),
  );
/** Looks at a pool, a few seconds apart. */
const looks = fc.array(
  fc.record({
    needed: fc.double({ min: 0, max: 300, noNaN: true }),
    seconds: fc.integer({ min: 1, max: 60 }),
  }),
  { minLength: 1, maxLength: 60 },
);

interface Step {
  readonly atSeconds: number;
  readonly desired: number;
}

function run(
  given: ScaleSettings,
  seen: readonly { readonly needed: number; readonly seconds: number }[],
  executors = 1,
): Step[] {
  let state: ScaleState | undefined;
  let nowSeconds = 0;
  return seen.map(({ needed, seconds }) => {
    nowSeconds += seconds;
    state = scale(given, state, { needed, executors, nowSeconds });
    return { atSeconds: nowSeconds, desired: state.desired };
  });
}

describe("what loads need", () => {
  test("is backlog and arrivals, times service time, over the target wait", () => {
    expect(slotsNeeded([load({ waiting: 100 })], 10)).toBe(10);
    // Forty busy slots, and a part of a free one so that 95 in 100 start within ten seconds.
    expect(slotsNeeded([load({ arrivalsPerSecond: 40 })], 10)).toBeCloseTo(40 + Math.log(20) / 10);
    expect(executorsNeeded({ slots: 4, contestReserved: 0 }, [load({ waiting: 100 })], 10)).toBe(2.5);
  });

  test("is a slot for each job that waits where one takes longer than the target wait", () => {
    expect(slotsNeeded([load({ waiting: 3, serviceSeconds: 60 })], 10)).toBe(3);
  });

  test("is nothing where nothing is", () => {
    expect(slotsNeeded([], 10)).toBe(0);
    expect(slotsNeeded([load({})], 10)).toBe(0);
  });

  test("counts slots that practice may use for practice", () => {
    const pool = { slots: 4, contestReserved: 3 };
    expect(executorsNeeded(pool, [load({ waiting: 40 })], 10)).toBe(4);
    expect(executorsNeeded(pool, [load({ waiting: 40, contest: true })], 10)).toBe(1);
  });

  test("never falls when more waits, comes in or takes longer", () => {
    fc.assert(
      fc.property(
        loads,
        shape,
        target,
        fc.nat({ max: 5 }),
        fc.double({ min: 1, max: 10, noNaN: true }),
        fc.constantFrom("waiting", "arrivalsPerSecond", "serviceSeconds"),
        (given, pool, seconds, index, times, field) => {
          const more = given.map((one, at) => (at === index ? { ...one, [field]: one[field] * times } : one));
          const before = executorsNeeded(pool, given, seconds);
          expect(executorsNeeded(pool, more, seconds)).toBeGreaterThanOrEqual(before * (1 - 1e-9));
        },
      ),
    );
  });
});

describe("the desired number of executors", () => {
  test("lies between least and most", () => {
    fc.assert(
      fc.property(settings, looks, fc.nat({ max: 500 }), (given, seen, executors) => {
        for (const { desired } of run(given, seen, executors)) {
          expect(desired).toBeGreaterThanOrEqual(given.least);
          expect(desired).toBeLessThanOrEqual(given.most);
        }
      }),
    );
  });

  test("is never less than what is needed now, as far as most allows", () => {
    fc.assert(
      fc.property(settings, looks, (given, seen) => {
        run(given, seen).forEach(({ desired }, at) => {
          expect(desired).toBeGreaterThanOrEqual(Math.min(given.most, Math.ceil(seen[at]?.needed ?? 0)));
        });
      }),
    );
  });

  test("does not fall within a cool-down of its last change, whatever the noise", () => {
    fc.assert(
      fc.property(settings, looks, (given, seen) => {
        const steps = run(given, seen);
        let changedAt = -Infinity;
        steps.forEach((step, at) => {
          const before = steps[at - 1]?.desired ?? step.desired;
          if (step.desired < before) {
            expect(step.atSeconds - changedAt).toBeGreaterThanOrEqual(given.coolDownSeconds);
          }
          if (step.desired !== before) changedAt = step.atSeconds;
        });
      }),
    );
  });

  test("falls to no less than what was needed during the cool-down", () => {
    fc.assert(
      fc.property(settings, looks, (given, seen) => {
        const steps = run(given, seen);
        steps.forEach((step, at) => {
          if (step.desired >= (steps[at - 1]?.desired ?? 0)) return;
          const lately = seen.filter(
            (_, other) =>
              other <= at && (steps[other]?.atSeconds ?? 0) > step.atSeconds - given.coolDownSeconds,
          );
          const most = Math.max(...lately.map(({ needed }) => Math.ceil(needed)));
          expect(step.desired).toBeGreaterThanOrEqual(Math.min(given.most, most));
        });
      }),
    );
  });

  test("stays where it is while the need changes by less than the band", () => {
    fc.assert(
      fc.property(
        settings,
        fc.double({ min: 1, max: 150, noNaN: true }),
        fc.array(fc.double({ min: 1 / (1 + BAND) + 1e-9, max: 1, noNaN: true }), {
          minLength: 5,
          maxLength: 60,
        }),
        (given, needed, noise) => {
          const seen = [1, ...noise].map((part) => ({ needed: needed * part, seconds: 60 }));
          expect(new Set(run(given, seen).map(({ desired }) => desired)).size).toBe(1);
        },
      ),
    );
  });

  test("comes to rest under a steady load, from wherever it began, with no more than the band to spare", () => {
    fc.assert(
      fc.property(
        settings,
        fc.nat({ max: 500 }),
        fc.double({ min: 0, max: 300, noNaN: true }),
        (given, executors, needed) => {
          const steps = Math.ceil(given.coolDownSeconds / 10) + 2;
          const seen = Array.from({ length: steps + 60 }, () => ({ needed, seconds: 10 }));
          const settled = run(given, seen, executors).slice(steps);
          const [first] = settled;
          expect(settled.every(({ desired }) => desired === first?.desired)).toBe(true);
          const bound = (value: number): number =>
            Math.min(given.most, Math.max(given.least, Math.ceil(value)));
          expect(first?.desired).toBeGreaterThanOrEqual(bound(needed));
          expect(first?.desired).toBeLessThanOrEqual(bound(needed * (1 + BAND)));
        },
      ),
    );
  });
});

test("settings come as JSON by pool, and what is wrong with them is said with its place", () => {
  expect(ScaleByPool.parse('{"scripts":{"most":4}}')).toEqual({
    scripts: { least: 1, most: 4, targetWaitSeconds: 10, coolDownSeconds: 120 },
  });
  expect(ScaleByPool.parse(undefined)).toEqual({});
  for (const [text, words] of [
    ["{", "expected JSON"],
    ['{"scripts":{"most":0}}', "scripts"],
    ['{"scripts":{"least":5,"most":4}}', "least is more than most"],
    ['{"scripts":{"most":4,"slots":2}}', "slots"],
  ] as const) {
    const parsed = ScaleByPool.safeParse(text);
    expect(JSON.stringify(parsed.error?.issues), text).toContain(words);
  }
});
