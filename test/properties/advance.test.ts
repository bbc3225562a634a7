import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { advance } from "../../src/server/results/advance.ts";
import { isFinal, type JudgementDocument, revisionOf } from "../../src/server/store/documents.ts";
import { BOUNDS } from "../../src/shared/limits.ts";
import { compareFence } from "../../src/shared/fence.ts";
import { type ExecutorId, judgementId, newSubmissionId, type ProblemId } from "../../src/shared/ids.ts";
import { type Fault, JudgeEvent } from "../../src/shared/protocol.ts";

const SUBMISSION = newSubmissionId(1_700_000_000_000);
const AT = new Date(1_700_000_000_000);

const FRESH: JudgementDocument = {
  _id: judgementId(SUBMISSION, 1),
  submission: SUBMISSION,
  generation: 1,
  kind: "judge",
  owner: "ann",
  problem: "hello" as ProblemId,
  language: "python",
  lane: "practice",
  state: "QUEUED",
  dispatch: 1,
  delivery: 0,
  seq: 0,
  dispatchAfter: AT,
  change: 0,
  tries: [],
  createdAt: AT,
  updatedAt: AT,
};

type End = "none" | "finished" | "released" | "fault" | "shared";
interface Holder {
  readonly dispatch: number;
  readonly delivery: number;
  readonly steps: number;
  readonly end: End;
}

const FAULT: Fault = { code: "INTERNAL", message: "broken", retry: true, shared: false };

/** All that one holder says, in its order. */
function eventsOf(holder: Holder): JudgeEvent[] {
  const { dispatch, delivery, steps, end } = holder;
  const name = `${dispatch}-${delivery}`;
  const base = {
    v: 1,
    kind: "judge",
    submission: SUBMISSION,
    generation: 1,
    dispatch,
    delivery,
    executor: `e${name}` as ExecutorId,
    atMs: AT.getTime() + dispatch * 1000 + delivery,
    capability: "c",
  } as const;
  const events: JudgeEvent[] = [{ ...base, seq: 1, type: "started" }];
  for (let i = 0; i < steps; i++) {
    events.push({ ...base, seq: events.length + 1, type: "progress", result: { by: name, tests: i } });
  }
  const seq = events.length + 1;
  if (end === "finished")
    events.push({ ...base, seq, type: "finished", result: { by: name, verdict: "AC" } });
  else if (end === "released") events.push({ ...base, seq, type: "released" });
  else if (end !== "none")
    events.push({ ...base, seq, type: "fault", fault: { ...FAULT, shared: end === "shared" } });
  return events;
}

const rules = (tries: number) => ({ tries, now: AT });

/** Applies events one after the other and checks what must hold at each step. */
function run(events: readonly JudgeEvent[], tries: number): JudgementDocument {
  let judgement = FRESH;
  for (const event of events) {
    const step = advance(judgement, event, rules(tries));
    if (step.type === "stale") continue;
    expect(isFinal(judgement.state)).toBe(false);
    expect(step.judgement.change).toBe(judgement.change + 1);
    expect(revisionOf(step.judgement)).toBeGreaterThan(revisionOf(judgement));
    expect(compareFence(fence(step.judgement), fence(judgement))).toBeGreaterThanOrEqual(0);
    judgement = step.judgement;
  }
  return judgement;
}

test("no number of changes of one judgement reaches the revisions of the next, and its end has one of its own", () => {
  const state = fc.constantFrom("PENDING", "QUEUED", "RUNNING", "FINISHED", "FAILED", "CANCELLED");
  const change = fc.oneof(fc.nat({ max: 10 }), fc.integer({ min: 65_000, max: 70_000 }), fc.nat());
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2 ** 15 - 1 }),
      change,
      fc.nat(),
      state,
      (generation, before, more, to) => {
        const earlier = revisionOf({ generation, change: before, state: "RUNNING" });
        const later = revisionOf({ generation, change: before + more + 1, state: to });
        if (isFinal(to) || before < BOUNDS.changes.value) expect(later).toBeGreaterThan(earlier);
        else expect(later).toBe(earlier);
        expect(later).toBeLessThan(revisionOf({ generation: generation + 1, change: 0, state: "PENDING" }));
        expect(later).toBeLessThan(2 ** 31);
      },
    ),
  );
});

const fence = ({ generation, dispatch, delivery }: JudgementDocument) => ({ generation, dispatch, delivery });

/** What must be the same however the events came; when the history was complete, that too. */
const outcome = (judgement: JudgementDocument) => ({
  state: judgement.state,
  fence: fence(judgement),
  seq: judgement.seq,
  result: judgement.result,
  ...(isFinal(judgement.state)
    ? {}
    : {
        tries: judgement.tries.map(({ dispatch, delivery, executor, end }) => ({
          dispatch,
          delivery,
          executor,
          end,
        })),
      }),
});

const notLast = fc.constantFrom<End>("none", "released", "fault", "shared");
const holders = (lastEnd: fc.Arbitrary<End>): fc.Arbitrary<Holder[]> =>
  fc
    .array(fc.record({ newDispatch: fc.boolean(), steps: fc.nat(3), end: notLast }), {
      minLength: 1,
      maxLength: 5,
    })
    .chain((made) =>
      lastEnd.map((end) => {
        let dispatch = 1;
        let delivery = 0;
        return made.map((one, i): Holder => {
          if (one.newDispatch && i > 0) {
            dispatch += 1;
            delivery = 1;
          } else delivery += 1;
          return { dispatch, delivery, steps: one.steps, end: i === made.length - 1 ? end : one.end };
        });
      }),
    );

/** Every event at least once, some more often, in any order. */
const arrivals = (events: readonly JudgeEvent[]): fc.Arbitrary<JudgeEvent[]> =>
  fc
    .array(fc.constantFrom(...events), { maxLength: 10 })
    .chain((again) =>
      fc.shuffledSubarray([...events, ...again], { minLength: events.length + again.length }),
    );

const MANY = 1_000;

describe("advance", () => {
  it("comes to the same end in any order, with any repetition, of several holders' events", () => {
    fc.assert(
      fc.property(
        holders(fc.constantFrom<End>("none", "finished", "released", "fault", "shared")).chain((all) => {
          const events = all.flatMap(eventsOf);
          return fc.record({ events: fc.constant(events), arrived: arrivals(events) });
        }),
        ({ events, arrived }) => {
          expect(outcome(run(arrived, MANY))).toEqual(outcome(run(events, MANY)));
        },
      ),
      { numRuns: 500 },
    );
  });

  it("finishes with the finishing holder's whole result, whatever of the rest is missing", () => {
    fc.assert(
      fc.property(
        holders(fc.constant<End>("finished")).chain((all) => {
          const events = all.flatMap(eventsOf);
          const last = events.slice(-1);
          return fc.record({
            last: fc.constant(last),
            arrived: fc.shuffledSubarray(events.slice(0, -1)).chain((some) => arrivals([...some, ...last])),
          });
        }),
        ({ last, arrived }) => {
          const judgement = run(arrived, MANY);
          expect(judgement.state).toBe("FINISHED");
          expect(judgement.result).toEqual(last[0]?.type === "finished" ? last[0].result : "none");
        },
      ),
    );
  });

  it("never changes a final judgement", () => {
    fc.assert(
      fc.property(
        holders(fc.constant<End>("finished")),
        holders(fc.constantFrom<End>("finished", "fault")),
        (first, later) => {
          const final = run(first.flatMap(eventsOf), MANY);
          for (const event of later.flatMap(eventsOf)) {
            expect(advance(final, event, rules(1))).toEqual({ type: "stale" });
          }
        },
      ),
    );
  });

  it("takes a repeated event as stale", () => {
    fc.assert(
      fc.property(holders(notLast), (all) => {
        let judgement = FRESH;
        for (const event of all.flatMap(eventsOf)) {
          const step = advance(judgement, event, rules(MANY));
          if (step.type === "changed") judgement = step.judgement;
          expect(advance(judgement, event, rules(MANY))).toEqual({ type: "stale" });
        }
      }),
    );
  });

  it("makes a dead letter of the counted tries and of nothing else", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom<End>("none", "released", "fault", "shared"), {
          minLength: 1,
          maxLength: 12,
        }),
        (ends) => {
          const tries = 3;
          const judgement = run(
            ends.flatMap((end, i) => eventsOf({ dispatch: 1, delivery: i + 1, steps: 1, end })),
            tries,
          );
          // The last holder without an end may still be running.
          const counted = ends.filter(
            (end, i) => end === "fault" || (end === "none" && i < ends.length - 1),
          ).length;
          expect(judgement.state === "FAILED").toBe(counted >= tries);
          if (judgement.state === "FAILED") {
            expect(judgement.result).toBeUndefined();
            expect(judgement.deadLetter?.reason).toMatch(/3/);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it("gives up at once on a fault that no other try can help", () => {
    const [started] = eventsOf({ dispatch: 1, delivery: 1, steps: 0, end: "none" });
    if (started === undefined) throw new Error("no event");
    const fault: JudgeEvent = {
      ...started,
      seq: 2,
      type: "fault",
      fault: { ...FAULT, code: "VALIDATOR_FAILED", message: "the validator does not compile", retry: false },
    };
    const judgement = run([started, fault], 5);
    expect(judgement.state).toBe("FAILED");
    expect(judgement.deadLetter).toEqual({
      code: "VALIDATOR_FAILED",
      reason: "the validator does not compile",
      at: AT,
    });
  });

  it("keeps a bounded history, and takes a word from before it as stale", () => {
    const ends: End[] = Array.from({ length: 80 }, () => "released");
    const all = ends.map((end, i) => eventsOf({ dispatch: i + 1, delivery: 1, steps: 0, end }));
    const judgement = run(all.flat(), 5);
    expect(judgement.tries).toHaveLength(50);
    expect(judgement.tries.at(-1)?.dispatch).toBe(80);
    for (const event of all[0] ?? []) expect(advance(judgement, event, rules(5))).toEqual({ type: "stale" });
  });

  it("ignores an event of another generation or submission", () => {
    for (const event of eventsOf({ dispatch: 1, delivery: 1, steps: 1, end: "finished" })) {
      expect(advance(FRESH, { ...event, generation: 2 }, rules(5))).toEqual({ type: "stale" });
      expect(advance(FRESH, { ...event, submission: newSubmissionId(1) }, rules(5))).toEqual({
        type: "stale",
      });
    }
  });

  it("makes events that its own protocol parses", () => {
    for (const event of eventsOf({ dispatch: 2, delivery: 3, steps: 2, end: "fault" })) {
      expect(JudgeEvent.parse(event)).toEqual(event);
    }
  });
});
