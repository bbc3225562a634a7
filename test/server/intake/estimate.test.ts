import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { estimateWait, type LaneLoad, type Surroundings } from "../../../src/server/intake/estimate.ts";

const NOTHING: LaneLoad = { count: 0, workMs: 0 };
const of = (count: number, ms = 100): LaneLoad => ({ count, workMs: count * ms });
const around = (more: Partial<Surroundings> = {}): Surroundings => ({
  slots: 2,
  busy: 2,
  meanMs: 100,
  beside: [],
  higher: NOTHING,
  lower: NOTHING,
  ...more,
});

describe("the estimated wait", () => {
  it("is nothing while a slot is free and nobody is ahead, and unknown without slots", () => {
    expect(estimateWait(NOTHING, around({ busy: 1 }))).toBe(0);
    expect(estimateWait(of(5), around({ slots: 0, busy: 0 }))).toBeUndefined();
  });

  it("is the work ahead over the slots, and half a job until one comes free", () => {
    expect(estimateWait(of(10), around())).toBe(525);
    expect(estimateWait(of(10), around({ slots: 4, busy: 4 }))).toBe(262.5);
  });

  it("counts other queues as far as they take turns, higher lanes as far as this one has no turn", () => {
    expect(estimateWait(of(9), around({ beside: [of(1_000), of(3)] }))).toBe((900 + 1_000 + 300 + 50) / 2);
    // Contest work that waits: nine of ten turns at most, as practice has one in five.
    expect(estimateWait(of(9), around({ higher: of(20) }))).toBe((900 + 2_000 + 50) / 2);
    expect(estimateWait(of(9), around({ higher: of(1_000) }))).toBe((900 + 4_000 + 50) / 2);
    expect(estimateWait(of(7), around({ lower: of(1_000) }))).toBe((700 + 200 + 50) / 2);
  });

  it("grows with everything ahead and shrinks with slots", () => {
    const load = fc.record({ count: fc.nat(1_000), ms: fc.integer({ min: 1, max: 5_000 }) });
    fc.assert(
      fc.property(load, load, fc.integer({ min: 1, max: 50 }), (ahead, other, slots) => {
        const base = around({ slots, busy: slots, higher: of(other.count, other.ms) });
        const wait = estimateWait(of(ahead.count, ahead.ms), base) ?? -1;
        expect(estimateWait(of(ahead.count + 1, ahead.ms), base)).toBeGreaterThan(wait);
        expect(
          estimateWait(of(ahead.count, ahead.ms), { ...base, slots: slots + 1, busy: slots + 1 }),
        ).toBeLessThan(wait);
      }),
    );
  });
});
