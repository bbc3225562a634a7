import * as fc from "fast-check";
import { expect, test } from "vitest";
import { createGrader, type Graded } from "../../../src/executors/judge/grade.ts";
import { type InOrderDeps, type LentRoom, runInOrder } from "../../../src/executors/judge/inorder.ts";
import type { ManifestGroup, ProblemManifest } from "../../../src/shared/judging.ts";
import type { Verdict } from "../../../src/shared/verdict.ts";
import { legacy, manifestOf } from "./manifests.ts";

/** What a test comes to, in the world of a test: a verdict, or trouble of ours. */
type End = Verdict | "FAULT";

interface Lent {
  readonly room: string;
  readonly wanted: AbortController;
}

/** Runs that end when the test says so, some once their turn has come; `rooms` can be lent beside the own one. */
function stage(
  ends: readonly End[],
  isSkipped: (test: number, taken: ReadonlyMap<number, Graded>) => boolean,
  needsTurn: (test: number) => boolean = () => false,
) {
  const taken = new Map<number, Graded>();
  const running = new Map<number, { readonly room: string; readonly end: () => void }>();
  const lent = new Set<Lent>();
  const beside = { taken: 0, unneeded: 0, stopped: 0 };
  const stop = new AbortController();
  let rooms = 0;
  let begun = 0;
  const runs = new Map<number, number>();
  const deps: InOrderDeps<string, Graded> = {
    count: ends.length,
    isSkipped: (place) => isSkipped(place, taken),
    run: async (place, { room, signal, turn }) => {
      const result = await new Promise<Graded>((resolve, reject) => {
        begun += 1;
        runs.set(place, (runs.get(place) ?? 0) + 1);
        const end = ends[place] ?? "FAULT";
        const settle = (act: () => void) => () => {
          if (running.delete(place)) act();
        };
        running.set(place, {
          room,
          end: settle(() =>
            end === "FAULT" ? reject(new Error(`fault ${place}`)) : resolve({ verdict: end }),
          ),
        });
        signal.addEventListener(
          "abort",
          settle(() => reject(signal.reason as Error)),
        );
      });
      if (needsTurn(place)) await turn();
      return result;
    },
    take: (place, result) => taken.set(place, result),
    own: "own",
    another: () => {
      if (lent.size >= rooms) return Promise.resolve(undefined);
      const one: Lent = { room: `lent-${begun}`, wanted: new AbortController() };
      lent.add(one);
      return Promise.resolve<LentRoom<string>>({
        room: one.room,
        signal: one.wanted.signal,
        giveBack: () => {
          lent.delete(one);
          return Promise.resolve();
        },
      });
    },
    onBeside: (what) => (beside[what] += 1),
    signal: stop.signal,
  };
  return {
    deps,
    taken,
    running,
    lent,
    beside,
    stop,
    runs,
    lend: (count: number) => (rooms = count),
    callBack: () => lent.forEach(({ wanted }) => wanted.abort(new Error("wanted"))),
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** One after the other, as it was before there was anything else. */
function sequentially(
  ends: readonly End[],
  isSkipped: (test: number, taken: ReadonlyMap<number, Graded>) => boolean,
): { taken: Map<number, Graded>; error: string | undefined } {
  const taken = new Map<number, Graded>();
  try {
    for (const [place, end] of ends.entries()) {
      if (isSkipped(place, taken)) continue;
      if (end === "FAULT") throw new Error(`fault ${place}`);
      taken.set(place, { verdict: end });
    }
  } catch (error) {
    return { taken, error: String(error) };
  }
  return { taken, error: undefined };
}

const end = fc.constantFrom<End>("AC", "AC", "AC", "AC", "WA", "TLE", "RTE", "FAULT");
/** Two groups below the root, the second of which may need the first. */
const groups = fc
  .record({
    breaks: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
    any: fc.boolean(),
    requires: fc.boolean(),
    least: fc.constantFrom(undefined, 2),
  })
  .map(({ breaks, any, requires, least }): ManifestGroup[] => [
    { name: "", breaks: breaks[0] ?? false, grading: legacy({ acceptIfAnyAccepted: any }) },
    {
      name: "a",
      parent: 0,
      breaks: breaks[1] ?? false,
      grading: legacy({
        acceptIfAnyAccepted: any,
        ...(least === undefined ? {} : { least, acceptScore: 3 }),
      }),
    },
    {
      name: "b",
      parent: 0,
      breaks: breaks[2] ?? false,
      grading: legacy({}),
      ...(requires ? { requires: [1] } : {}),
    },
  ]);
/** In groups, or in none: then the first rejection ends it, or nothing does. */
const manifest = fc
  .record({
    ends: fc.array(end, { minLength: 1, maxLength: 14 }),
    groups: fc.option(groups, { nil: undefined }),
    runAllTests: fc.boolean(),
    split: fc.nat(14),
  })
  .map(({ ends, groups: some, runAllTests, split }): { ends: End[]; manifest: ProblemManifest } => ({
    ends,
    manifest: manifestOf(
      ends.map((_, place) => (place < split ? 1 : 2)),
      some === undefined ? { runAllTests } : { groups: some, scoring: true },
    ),
  }));

test("whatever runs at once, what is taken is what would have been taken one after the other", async () => {
  await fc.assert(
    fc.asyncProperty(manifest, fc.nat(3), fc.infiniteStream(fc.nat(99)), async (given, rooms, choices) => {
      const needsTurn = (): boolean => choices.next().value < 40;
      const grader = createGrader(given.manifest);
      const isSkipped = grader.isSkipped.bind(grader);
      const expected = sequentially(given.ends, isSkipped);
      const { deps, taken, running, lent, callBack, lend } = stage(given.ends, isSkipped, needsTurn);
      lend(rooms);
      let over = false;
      const ran = runInOrder(deps).then(
        () => undefined,
        (error: unknown) => String(error),
      );
      void ran.then(() => (over = true));
      const isOver = (): boolean => over;
      for (let steps = 0; !isOver() && steps < 500; steps++) {
        await settled();
        const choice = choices.next().value;
        const some = [...running.values()];
        if (choice < 10) callBack();
        else some[choice % Math.max(1, some.length)]?.end();
      }
      expect(isOver()).toBe(true);
      expect(await ran).toBe(expected.error);
      expect([...taken]).toEqual([...expected.taken]);
      expect([running.size, lent.size]).toEqual([0, 0]);
    }),
    { numRuns: 300 },
  );
});

const breaks = (place: number, taken: ReadonlyMap<number, Graded>): boolean =>
  [...taken].some(([other, { verdict }]) => other < place && verdict !== "AC");

test("tests run at once in what is lent, and only so many", async () => {
  const { deps, running, beside, taken, lend } = stage(["AC", "AC", "AC", "AC", "AC"], breaks);
  lend(2);
  const ran = runInOrder(deps);
  await settled();
  expect(new Set(running.keys())).toEqual(new Set([0, 1, 2]));
  expect(new Set([...running.values()].map(({ room }) => room)).size).toBe(3);
  while (running.size > 0) {
    [...running.values()].at(-1)?.end();
    await settled();
  }
  await ran;
  expect([...taken.keys()]).toEqual([0, 1, 2, 3, 4]);
  expect(beside.unneeded + beside.stopped).toBe(0);
  expect(beside.taken).toBeGreaterThanOrEqual(2);
});

test("what runs behind a test that is rejected is stopped, and nobody sees it", async () => {
  const { deps, running, beside, taken, lent, lend } = stage(["WA", "AC", "RTE"], breaks);
  lend(2);
  const ran = runInOrder(deps);
  await settled();
  running.get(2)?.end();
  await settled();
  running.get(0)?.end();
  await ran;
  expect([...taken]).toEqual([[0, { verdict: "WA" }]]);
  expect(beside).toEqual({ taken: 0, unneeded: 2, stopped: 0 });
  expect(lent.size).toBe(0);
});

test("a room that is wanted back is given back at once, and its test is run in the job's own", async () => {
  const { deps, running, beside, taken, lent, lend, callBack, runs } = stage(["AC", "AC"], breaks);
  lend(1);
  const ran = runInOrder(deps);
  await settled();
  expect(running.get(1)?.room).not.toBe("own");
  lend(0);
  callBack();
  await settled();
  expect([lent.size, [...running.keys()]]).toEqual([0, [0]]);
  running.get(0)?.end();
  await settled();
  expect(running.get(1)?.room).toBe("own");
  running.get(1)?.end();
  await ran;
  expect([[...taken.keys()], runs.get(1)]).toEqual([[0, 1], 2]);
  expect(beside).toEqual({ taken: 0, unneeded: 0, stopped: 1 });
});

test("a test that waits for its turn gives the job's own slot to one before it that was called back", async () => {
  const { deps, running, taken, lend, callBack, runs } = stage(
    ["AC", "AC", "AC"],
    breaks,
    (one) => one === 2,
  );
  lend(1);
  const ran = runInOrder(deps);
  await settled();
  running.get(0)?.end();
  await settled();
  expect([running.get(1)?.room, running.get(2)?.room]).toEqual(["lent-1", "own"]);
  running.get(2)?.end();
  await settled();
  lend(0);
  callBack();
  await settled();
  expect([...running].map(([place, { room }]) => [place, room])).toEqual([[1, "own"]]);
  running.get(1)?.end();
  await settled();
  running.get(2)?.end();
  await ran;
  expect([[...taken.keys()], [...runs.values()]]).toEqual([
    [0, 1, 2],
    [1, 2, 2],
  ]);
});

test("a guest that can run the test that others wait for has it, and the job's own goes on waiting", async () => {
  const ends: End[] = ["AC", "AC", "AC", "AC"];
  const { deps, running, lent, lend, runs } = stage(ends, breaks, (one) => one === 3);
  lend(2);
  const ran = runInOrder(deps);
  await settled();
  running.get(0)?.end();
  await settled();
  expect(running.get(3)?.room).toBe("own");
  running.get(3)?.end();
  lend(0);
  const first = [...lent].find(({ room }) => room === running.get(1)?.room);
  first?.wanted.abort(new Error("wanted"));
  await settled();
  running.get(2)?.end();
  await settled();
  expect(running.get(1)?.room).toMatch("lent");
  running.get(1)?.end();
  await ran;
  expect([...runs.values()]).toEqual([1, 2, 1, 1]);
});

test("a job that is stopped leaves nothing running and nothing lent", async () => {
  const { deps, running, lent, lend, stop } = stage(["AC", "AC", "AC"], breaks);
  lend(2);
  const ran = runInOrder(deps);
  await settled();
  stop.abort(new Error("cancelled"));
  await expect(ran).rejects.toThrow("cancelled");
  expect([running.size, lent.size]).toEqual([0, 0]);
});

test("a test's turn comes when all before it were taken, and is none when it is not needed", async () => {
  const { deps, running, lend } = stage(["AC", "WA", "AC"], breaks);
  lend(2);
  const turns = new Map<number, string>();
  const ran = runInOrder({
    ...deps,
    run: async (place, at) => {
      void at.turn().then(
        () => turns.set(place, "came"),
        () => turns.set(place, "never"),
      );
      return await deps.run(place, at);
    },
  });
  await settled();
  expect([...turns]).toEqual([[0, "came"]]);
  running.get(0)?.end();
  await settled();
  expect(turns.get(1)).toBe("came");
  running.get(1)?.end();
  await ran;
  await settled();
  expect(turns.get(2)).toBe("never");
});
